// The profiles that this user may choose.

import { Emitter } from "./events.js";
import { Disconnected, Refused, Socket } from "./socket.js";
import { NOT_FOUND } from "./words.js";

export const NOT_OFFERED = "This model is no longer offered. Choose another one, then send it again.";
const CHAT_NOT_OFFERED = "The model of this chat is no longer offered. Choose another to go on.";
const NONE_OFFERED = "No model is offered to you on this site. Ask an administrator for one.";
const CHAT_REMOVED = "The model of this chat was removed. Choose another.";

/**
 * Fetched on each new connection, where the server has refused one of them, and where others may be offered. Tells
 * "change", and "lost" where the one that was chosen for the next new chat is not offered any more.
 * @extends {Emitter<{ change: undefined, lost: undefined }>}
 */
export class Profiles extends Emitter {
  /** @param {Socket} socket */
  constructor(socket) {
    super();
    this.socket = socket;
    /** @type {Api.ChoiceShape[]} */
    this.list = [];
    this.loaded = false;
    /** @type {Map<number, boolean>} */
    this.unknown = new Map(); // ids that are not in the list; whether it was fetched since they were met
    /** @type {number | null} */
    this.chosen = null; // for the next new chat
    socket.on("state", () => socket.state === "open" && this.load());
    socket.on("account", () => this.load());
  }

  /** Where that fails the profiles stay as they were: a later connection asks again. */
  async load() {
    const met = [...this.unknown.keys()];
    try {
      this.list = (await this.socket.call("profile.list", {})).profiles;
      this.loaded = true;
      for (const id of met) this.unknown.set(id, true);
      const isLost = this.chosen !== null && !this.get(this.chosen);
      if (isLost) this.chosen = null;
      this.changed();
      if (isLost) this.tell("lost");
    } catch (error) {
      if (!(error instanceof Refused || error instanceof Disconnected)) throw error;
    }
  }

  /** @param {number | null | undefined} id */
  get(id) {
    return this.list.find((profile) => profile.id === id);
  }

  /** Of the next new chat: what was chosen for it, else what the server would take. */
  get forNewChat() {
    return this.get(this.chosen) ?? this.list.find((profile) => profile.is_default) ?? this.list[0];
  }

  /**
   * Of a chat, or with none of the next new one; undefined where it is not offered to this user.
   * @param {Api.SessionShape | undefined} session
   */
  of(session) {
    return session ? this.get(session.profile) : this.forNewChat;
  }

  /**
   * Takes note of a chat that is shown. Its profile may be newer than the list, which is fetched once more then.
   * @param {Api.SessionShape | undefined} session
   */
  meet(session) {
    const id = session?.profile ?? null;
    if (!this.loaded || id === null || this.get(id) || this.unknown.has(id)) return;
    this.unknown.set(id, false);
    void this.load();
  }

  /**
   * Why nobody answers in a chat, or with none in a new one, in words; empty where somebody does, or where that is not
   * known yet.
   * @param {Api.SessionShape | undefined} session
   */
  whyGone(session) {
    if (!this.loaded) return "";
    const none = this.list.length ? "" : NONE_OFFERED;
    if (!session) return none;
    if (session.profile === null) return none || CHAT_REMOVED;
    return !this.get(session.profile) && this.unknown.get(session.profile) ? none || CHAT_NOT_OFFERED : "";
  }

  /**
   * Whether there is anything to choose.
   * @param {Api.SessionShape | undefined} session
   */
  isChoice(session) {
    return this.list.length > 1 || (this.list.length > 0 && this.whyGone(session) !== "");
  }

  /** @param {number | null} id */
  choose(id) {
    this.chosen = id;
    this.changed();
  }

  /**
   * Resolves with whether a request was refused because this profile is not offered any more.
   * @param {unknown} error
   * @param {number | null | undefined} id that the request named
   */
  async isRefused(error, id) {
    if (!id || !(error instanceof Refused) || error.code !== NOT_FOUND) return false;
    await this.load();
    return !this.get(id);
  }

  changed() {
    this.tell("change");
  }
}
