// What is here of a chat's messages: consecutive, and loaded as far as somebody has scrolled.
//
// It may be a place further up (`hasNewer`), with nothing after it: not what happens at the end either. Where a page fails
// for a passing reason it is tried again (`tryingOlder`), and what is shown stays.

import { Emitter } from "./events.js";
import { Markdown } from "./markdown.js";
import { joined, meets, placeOf } from "./pages.js";
import { isAsked } from "./parts.js";
import { isPassing, Retry } from "./retry.js";
import { Disconnected, Refused, Socket } from "./socket.js";

export const PAGE = 50;
const LONG_PAGE = 200;

/**
 * Events: "change" (messages, queue), "run" (the running answer grew), "session" (as session.open tells it),
 * "said" (a sentence for everybody), "gone" (the chat is no longer there; with why it was not found, or null where it
 * was deleted), "failed" (why there is no answer in the place of another, which is shown again), "refused" (a turn
 * that waited and may not begin any more), "reached" (scrolling has come to the end).
 * @extends {Emitter<{
 *   change: undefined, run: undefined, session: Api.SessionShape, said: string, gone: Refused | null,
 *   failed: Api.ErrorShape, refused: Api.QueuedShape, reached: undefined,
 * }>}
 */
export class LoadedMessages extends Emitter {
  /** @param {{ socket: Socket, markdown: Markdown, id: string }} parts */
  constructor({ socket, markdown, id }) {
    super();
    this.socket = socket;
    this.markdown = markdown;
    this.id = id;
    /** @type {Page.Message[]} */
    this.messages = [];
    this.hasMore = false;
    this.hasNewer = false;
    this.returning = false; // from a place further up to the end: the next answer to session.open brings it
    this.tryingOlder = new Retry(socket);
    this.tryingOlder.on("change", () => this.changed());
    /** @type {Promise<boolean> | null} */
    this.fetching = null; // a page of older messages
    /** @type {Promise<void> | null} */
    this.fetchingNewer = null;
  }

  /**
   * @param {() => boolean} isSo
   * @returns {Promise<void>}
   */
  until(isSo) {
    return new Promise((resolve) => {
      if (isSo()) resolve();
      const stop = this.on("change", () => {
        if (!isSo()) return;
        stop();
        resolve();
      });
    });
  }

  get part() {
    const { messages, hasMore, hasNewer } = this;
    return { messages, hasMore, hasNewer };
  }

  /** @param {import("./pages.js").Part} part */
  show(part) {
    Object.assign(this, part);
  }

  /**
   * The last page replaces what it covers; older pages stay where both meet, else they are loaded again on scroll. A
   * place further up stays, too, until somebody goes back to the end.
   * @param {Page.Message[]} latest
   * @param {boolean} hasMore
   */
  merge(latest, hasMore) {
    if (this.hasNewer && !this.returning && !meets(this.messages, latest)) return;
    const last = placeOf(latest.at(-1));
    const part = { ...this.part, messages: this.messages.filter((message) => placeOf(message) <= last) };
    this.show(joined(part, { messages: latest, hasMore, hasNewer: false }));
    this.returning = false;
  }

  /**
   * Lets the server render the answers first, so that they do not change shape on the screen.
   * @param {Page.Message[]} messages
   */
  prepare(messages) {
    return this.prepareTexts(messages.filter(({ role }) => role === "assistant").map(({ text }) => text));
  }

  /** @param {string[]} texts */
  prepareTexts(texts) {
    return this.markdown.prepare(texts);
  }

  /**
   * Loads a page of older messages; resolves with whether there are more than before.
   * @param {{ all?: boolean }} [options] `all`: for a place far up, so in large pages and without rendering
   * @returns {Promise<boolean>}
   */
  older({ all = false } = {}) {
    if (!this.hasMore) return Promise.resolve(false);
    this.fetching ??= this.fetchOlder(all).finally(() => (this.fetching = null));
    return this.fetching;
  }

  /** Loads the page after what is here, until the end is here. */
  newer() {
    if (!this.hasNewer || this.returning) return Promise.resolve();
    this.fetchingNewer ??= this.fetchNewer().finally(() => (this.fetchingNewer = null));
    return this.fetchingNewer;
  }

  async fetchNewer() {
    const after = placeOf(this.messages.at(-1));
    const params = { session_id: this.id, after, limit: PAGE };
    const page = await this.tryingOlder.until(() => this.socket.call("session.messages", params)).catch(() => null);
    if (!page || after !== placeOf(this.messages.at(-1))) return;
    await this.prepare(page.messages);
    this.messages = [...this.messages, ...page.messages];
    if (!page.has_newer) this.tell("reached");
    this.changed();
  }

  /**
   * Resolves with the message at a position, or the next one, loading what is before it where needed.
   * @param {number} position
   */
  async messageAt(position) {
    while (placeOf(this.messages[0]) > position && (await this.older({ all: true })));
    return this.messages.find((message) => placeOf(message) >= position);
  }

  /** @param {boolean} all */
  async fetchOlder(all) {
    const before = placeOf(this.messages[0]);
    const page = await this.pageBefore(before, all ? LONG_PAGE : PAGE);
    if (page && !all) await this.prepare(page.messages);
    if (!page || before !== placeOf(this.messages[0])) return false;
    this.messages = [...page.messages, ...this.messages];
    this.hasMore = page.has_more;
    this.changed();
    return true;
  }

  /**
   * Resolves with a page of the messages before a position, or null where it can not be had any more.
   * @param {number} before
   * @param {number} limit
   */
  async pageBefore(before, limit) {
    const params = { session_id: this.id, before, limit };
    try {
      return await this.tryingOlder.until(() => this.socket.call("session.messages", params));
    } catch (error) {
      if (error instanceof Refused || error instanceof Disconnected) return null;
      throw error;
    }
  }

  /** @param {string} messageId */
  async around(messageId) {
    const ask = () => this.socket.call("session.messages", { session_id: this.id, around: messageId, limit: PAGE });
    const page = await this.tryingOlder.until(() => ask().catch(passingOnly));
    if (page instanceof Refused) throw page;
    return page;
  }

  /**
   * Fetches again what is shown of the messages before a position: a program has changed the chat.
   * @param {number} position
   */
  async renewOlder(position) {
    let before = position;
    while (this.messages.length && placeOf(this.messages[0]) < before) {
      const page = await this.pageBefore(before, LONG_PAGE);
      if (!page) return;
      const first = page.has_more ? placeOf(page.messages[0]) : -Infinity;
      const older = this.messages.filter((message) => placeOf(message) < first);
      const newer = this.messages.filter((message) => placeOf(message) >= before);
      this.messages = [...older, ...page.messages, ...newer];
      if (!older.length) this.hasMore = page.has_more;
      before = first;
      this.changed();
    }
  }

  /**
   * By position: what was missed may come when this page has said something already. A line has one message at each.
   * @param {Page.Message[]} messages
   */
  insert(...messages) {
    if (this.hasNewer) return; // there is a gap before them
    const taken = new Set(messages.map(({ position }) => position));
    const others = this.messages.filter(({ position }) => position === null || !taken.has(position));
    this.messages = [...others, ...messages].sort((a, b) => placeOf(a) - placeOf(b));
  }

  /**
   * Something else than a message's text is another now.
   * @param {Page.Message} message
   */
  update(message) {
    this.messages = this.messages.map((other) => (other.id === message.id ? message : other));
    this.changed();
  }

  /**
   * The user's message that the answer at an id is to, or without it the last one, if the end is here.
   * @param {string} [answerId]
   */
  asked(answerId) {
    if (!answerId && this.hasNewer) return undefined;
    const end = answerId ? this.messages.findIndex((message) => message.id === answerId) : this.messages.length;
    return this.messages.slice(0, Math.max(end, 0)).findLast(isAsked);
  }

  /** The last message that somebody has said. */
  get lastSaid() {
    return this.messages.findLast(({ kind }) => !kind);
  }

  /** @param {string} text */
  say(text) {
    this.tell("said", text);
  }

  changed() {
    this.tell("change");
  }
}

/**
 * Rejects where trying again may help; resolves with what was refused for good.
 * @param {unknown} error
 */
const passingOnly = (error) => (isPassing(error) || !(error instanceof Refused) ? Promise.reject(error) : error);
