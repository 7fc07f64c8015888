// Messages on their way to the server. Each has its `message_id` from the start and keeps it over lost connections and
// reloads, so that sending again is the same turn and not another one.

import { Emitter } from "./events.js";
import { Disconnected, Refused, Socket } from "./socket.js";
import { Storage } from "./storage.js";
import { explain, isOvertaken, isUsedUp, TOO_LARGE, TOO_MANY } from "./words.js";

/** A random UUID. crypto.randomUUID only exists on HTTPS and loopback. */
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  // Version 4, variant 1: the two digits that are not random.
  const variant = "89ab".charAt(Math.random() * 4);
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, `$1-$2-4$3-${variant}$4-$5`);
}

/**
 * Events: "change"; "started" and "edited" with what the server answers; "returned" with messages that are given up
 * because of the first of them: the chat went on elsewhere, an edit was refused, or a text is too large. Who listens
 * has their texts.
 * @extends {Emitter<{
 *   change: undefined,
 *   started: { entry: Page.Entry, result: Api.StartResult },
 *   edited: { entry: Page.Entry, result: Api.EditResult },
 *   returned: { entries: Page.Entry[], error: unknown },
 * }>}
 */
export class Outbox extends Emitter {
  /**
   * @param {Socket} socket
   * @param {Storage} storage
   */
  constructor(socket, storage) {
    super();
    this.socket = socket;
    this.storage = storage;
    this.entries = storage.unsent();
    this.working = false;
    socket.on("state", () => this.work());
  }

  /** @param {string | null} sessionId */
  of(sessionId) {
    return this.entries.filter((entry) => entry.session_id === sessionId);
  }

  /**
   * Queues a text for sending; from here on it survives a reload.
   * @param {string | null} sessionId
   * @param {string} text
   * @param {Pick<Page.Entry, "revision" | "edits" | "files">} [more]
   */
  send(sessionId, text, more) {
    /** @type {Page.Entry} */
    const entry = { message_id: newId(), session_id: sessionId, text, at: Date.now(), state: "sending", ...more };
    this.storage.keepUnsent(entry);
    this.entries.push(entry);
    this.changed();
    this.work();
  }

  /**
   * What was said before there was a chat goes to this one.
   * @param {string} sessionId
   */
  adopt(sessionId) {
    for (const entry of this.of(null)) {
      entry.session_id = sessionId;
      this.storage.keepUnsent(entry);
    }
    this.changed();
    this.work();
  }

  /**
   * Gives an entry up; the caller has its text.
   * @param {Page.Entry} entry
   */
  drop(entry) {
    this.storage.dropUnsent(entry.message_id);
    this.entries = this.entries.filter((other) => other.message_id !== entry.message_id);
    this.changed();
  }

  async work() {
    if (this.working) return;
    this.working = true;
    while (this.socket.state === "open") {
      const entry = this.next();
      if (!entry?.session_id || !(await this.deliver(entry, entry.session_id))) break;
    }
    this.working = false;
  }

  /** The oldest that may go now; one that has to wait holds back those after it in its chat. */
  next() {
    return this.entries.find((entry) => entry.session_id && entry.state === "sending" && !this.holds(entry.session_id));
  }

  /** @param {string | null} sessionId */
  holds(sessionId) {
    return this.of(sessionId).some((entry) => entry.state === "limited");
  }

  /**
   * Resolves with whether to go on with the next.
   * @param {Page.Entry} entry
   * @param {string} session_id
   */
  async deliver(entry, session_id) {
    try {
      if (entry.edits) await this.edit(entry, entry.edits);
      else await this.start(entry, session_id);
      return true;
    } catch (error) {
      if (error instanceof Disconnected) return false;
      this.refuse(entry, error);
      return true;
    }
  }

  /**
   * @param {Page.Entry} entry
   * @param {string} session_id
   */
  async start(entry, session_id) {
    const { message_id, text, revision, files } = entry;
    const shown = revision === undefined ? {} : { revision };
    const said = files?.length ? { files: files.map(({ id }) => id) } : {};
    const result = await this.socket.call("turn.start", { session_id, text, message_id, ...shown, ...said });
    this.drop(entry);
    this.tell("started", { entry, result });
  }

  /**
   * What was written after an edit goes on from it.
   * @param {Page.Entry} entry
   * @param {string} edited
   */
  async edit(entry, edited) {
    const { message_id, text, session_id } = entry;
    const result = await this.socket.call("message.edit", { message_id: edited, text, new_id: message_id });
    for (const later of this.of(session_id)) later.revision = result.session.revision;
    this.drop(entry);
    this.tell("edited", { entry, result });
  }

  /**
   * @param {Page.Entry} entry
   * @param {unknown} error
   */
  refuse(entry, error) {
    if (error instanceof Refused && error.code === TOO_MANY && !isUsedUp(error)) {
      const seconds = error.data.retry_after ?? 1;
      Object.assign(entry, { state: "limited", until: Date.now() + seconds * 1000 });
      setTimeout(() => this.retry(entry), seconds * 1000);
    } else if (entry.edits || isOvertaken(error)) {
      this.giveBack(entry, error);
    } else if (error instanceof Refused && error.code === TOO_LARGE) {
      this.drop(entry);
      this.tell("returned", { entries: [entry], error });
    } else {
      // Kept as refused, so that it does not send itself again after a reload.
      Object.assign(entry, {
        state: "refused",
        problem: explain(error),
        taken: error instanceof Refused && error.data.message_id !== undefined,
      });
      this.storage.keepUnsent(entry);
    }
    this.changed();
  }

  /**
   * Gives up an entry and those after it in its chat, which were written for the same line.
   * @param {Page.Entry} entry
   * @param {unknown} error
   */
  giveBack(entry, error) {
    const entries = this.of(entry.session_id).filter((other) => other === entry || other.state === "sending");
    for (const other of entries) this.drop(other);
    this.tell("returned", { entries, error });
  }

  /**
   * Sends again what was limited or refused: as the same message, unless its id is taken.
   * @param {Page.Entry} entry
   */
  retry(entry) {
    if (entry.taken) {
      this.storage.dropUnsent(entry.message_id);
      Object.assign(entry, { message_id: newId(), taken: false });
    }
    entry.state = "sending";
    this.storage.keepUnsent(entry);
    this.changed();
    this.work();
  }

  changed() {
    this.tell("change");
  }
}
