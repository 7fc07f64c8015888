// What each chat is marked with in the list: that an answer runs, that calls of tools wait for a decision, that an answer has
// come which nobody has seen, or a draft.

import { Emitter } from "./events.js";
import { Journal } from "./journal.js";
import { Sessions } from "./sessions.js";
import { Storage } from "./storage.js";

/** @typedef {"running" | "asks" | "unread" | "draft" | ""} Mark */

const UNREAD = "unread:";
const ASKS = "asks:";

/**
 * Which turns run is known by the list of chats as it was loaded, and from there on by the journal. What is unread is
 * kept in the browser: who reads it in one tab has read it in all. So is what asks for a decision. Tells "change".
 * @extends {Emitter<{ change: undefined }>}
 */
export class Marks extends Emitter {
  /** @param {{ sessions: Sessions, journal: Journal, storage: Storage, browser?: Window & typeof globalThis }} parts */
  constructor({ sessions, journal, storage, browser = window }) {
    super();
    this.sessions = sessions;
    this.storage = storage;
    this.browser = browser;
    /** @type {Set<string>} */
    this.running = new Set();
    /** @type {string | null} */
    this.current = null; // the open chat
    sessions.on("loaded", ({ sessions, running }) => this.load(sessions, running));
    journal.on("event", ({ event }) => event.type === "CUSTOM" && event.name !== "tool.progress" && this.hear(event));
    browser.addEventListener("storage", () => this.see()); // another window may have marked what is open here
    browser.document.addEventListener("visibilitychange", () => this.see());
  }

  /**
   * Goes over to a chat: it is read.
   * @param {string | null} id
   */
  show(id) {
    this.current = id;
    this.see();
  }

  /** @param {string} id */
  isSeen(id) {
    return id === this.current && this.browser.document.visibilityState === "visible";
  }

  see() {
    if (this.current && this.isSeen(this.current)) this.storage.write(UNREAD + this.current, null);
    this.changed();
  }

  /**
   * @param {Api.SessionShape[]} sessions
   * @param {string[]} running
   */
  load(sessions, running) {
    for (const { id } of sessions) this.running.delete(id);
    for (const id of running) this.running.add(id);
    this.changed();
  }

  /** @param {Page.Fact} fact */
  hear(fact) {
    if (fact.name === "turn.began") this.begin(fact.value);
    else if (fact.name === "turn.ended") this.end(fact.value);
    else if (fact.name === "session.deleted") this.forget(fact.value);
    else if (fact.name === "approval.waiting") this.ask(fact.value.session_id, true);
    else if (fact.name === "approval.decided") this.ask(fact.value.session_id, false);
  }

  /**
   * Takes note of whether calls of a chat wait for a decision.
   * @param {string} id
   * @param {boolean} asks
   */
  ask(id, asks) {
    if (this.asks(id) === asks) return;
    this.storage.write(ASKS + id, asks ? "1" : null);
    this.changed();
  }

  /** @param {string} id */
  asks(id) {
    return Boolean(this.storage.read(ASKS + id));
  }

  /** @param {Api.TurnShape} turn what is caught up on may have ended by now */
  begin({ session_id: id, status }) {
    if (status !== "running") return;
    this.running.add(id);
    this.changed();
  }

  /** @param {Api.TurnShape} turn a summary brings nothing to read */
  end({ session_id: id, status, kind }) {
    this.running.delete(id);
    const isNews = status !== "withdrawn" && kind !== "compaction";
    if (isNews && !this.isSeen(id)) this.storage.write(UNREAD + id, "1");
    this.changed();
  }

  /** @param {string} id */
  forget(id) {
    this.running.delete(id);
    this.storage.write(UNREAD + id, null);
    this.storage.write(ASKS + id, null);
  }

  /**
   * @param {string} id
   * @returns {Mark}
   */
  of(id) {
    if (this.running.has(id)) return "running";
    if (this.asks(id)) return "asks";
    if (this.storage.read(UNREAD + id)) return "unread";
    return id !== this.current && this.storage.hasDraft(id) ? "draft" : "";
  }

  /** How many are unread, of the chats that are loaded: others may be deleted since. */
  get unread() {
    return this.storage.names(UNREAD).filter((name) => this.sessions.get(name.slice(UNREAD.length))).length;
  }

  /** What stands before the tab's title. */
  get prefix() {
    if (this.current && this.running.has(this.current)) return "● ";
    if (this.current && this.asks(this.current)) return "? ";
    return this.unread ? `(${this.unread}) ` : "";
  }

  changed() {
    this.tell("change");
  }
}
