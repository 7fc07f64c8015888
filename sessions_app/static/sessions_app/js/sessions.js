// The user's chats, as far as they were loaded. A page that fails for a passing reason is tried again.

import { Emitter } from "./events.js";
import { Journal } from "./journal.js";
import { isPassing, Retry } from "./retry.js";
import { Socket } from "./socket.js";

const PAGE = 50;

/**
 * Tells "change", and "loaded" with a page of the list: what was not known before it.
 * @extends {Emitter<{ change: undefined, loaded: { sessions: Api.SessionShape[], running: string[] } }>}
 */
export class Sessions extends Emitter {
  /**
   * @param {Socket} socket
   * @param {Journal} journal
   */
  constructor(socket, journal) {
    super();
    this.socket = socket;
    this.journal = journal;
    this.archived = false;
    /** @type {Set<string>} */
    this.deleted = new Set(); // ids of those that this page has deleted, or is deleting
    /** @type {Set<string>} */
    this.gone = new Set(); // ids of those that are deleted: an answer that was asked for before may still have them
    this.trying = new Retry(socket);
    this.trying.on("change", () => this.changed());
    /** @type {Map<string, Api.SessionShape>} */
    this.known = new Map();
    this.reset();
    journal.on("event", ({ event }) => this.hear(event));
  }

  /** Nothing of the list is loaded. */
  reset() {
    /** @type {string | null} */
    this.cursor = null; // of the next page
    this.begun = false; // the first page is here
    this.complete = false;
    /** @type {Promise<Api.SessionShape[] | undefined> | null} */
    this.loading = null;
  }

  /** @param {string | null} id */
  get(id) {
    return id === null ? undefined : this.known.get(id);
  }

  /** Those of the present view, pinned ones first, then newest activity first. */
  get shown() {
    return [...this.known.values()]
      .filter((session) => session.archived === this.archived)
      .sort((a, b) => Number(b.pinned) - Number(a.pinned) || Date.parse(b.updated_at) - Date.parse(a.updated_at));
  }

  /** Loads the first page if a lost connection has kept it from coming; once it is here, the journal keeps it true. */
  resume() {
    if (!this.begun && !this.loading) this.reload();
  }

  /** Loads the first page anew: at the start, when the view changes, and where the journal does not tell what was missed. */
  reload() {
    this.trying.over();
    return this.loadFirst();
  }

  async loadFirst() {
    const kept = [...this.known];
    this.reset();
    const found = await this.next();
    if (!found) return;
    // What is gone from the server must go from here, as far as this page can tell.
    const last = found.at(-1);
    const oldest = this.complete || !last ? -Infinity : Date.parse(last.updated_at);
    const alive = new Set(found.map((session) => session.id));
    for (const [id, session] of kept) {
      const covered = session.archived === this.archived && Date.parse(session.updated_at) > oldest;
      if (covered && !alive.has(id)) this.known.delete(id);
    }
    this.changed();
  }

  /** Loads the next page, unless one is being tried again. */
  more() {
    if (!this.complete && !this.trying.troubled) this.next();
  }

  /** Resolves with the next page, or undefined where it could not be loaded. */
  next() {
    this.loading ??= this.load().finally(() => (this.loading = null));
    return this.loading;
  }

  async load() {
    const params = { limit: PAGE, archived: this.archived, ...(this.cursor && { cursor: this.cursor }) };
    const answer = await this.socket.call("session.list", params).catch((error) => this.fail(error));
    if (!answer || params.archived !== this.archived) return undefined;
    this.trying.over();
    this.journal.reflects(answer.cursor);
    this.begun = true;
    for (const session of answer.sessions) this.keep(session);
    this.cursor = answer.next_cursor;
    this.complete = !this.cursor;
    this.tell("loaded", answer);
    this.changed();
    return answer.sessions;
  }

  /**
   * A lost connection has its own words, and all is loaded again when it is back.
   * @param {unknown} error
   */
  fail(error) {
    if (isPassing(error)) this.trying.pause(error).then(() => this.again());
  }

  again() {
    if (this.cursor) this.next();
    else this.loadFirst();
  }

  /** @param {boolean} archived */
  async show(archived) {
    this.archived = archived;
    this.loading = null;
    await this.reload();
  }

  /** @param {Api.SessionShape} session */
  put(session) {
    this.keep(session);
    this.changed();
  }

  /** @param {Api.SessionShape} session */
  keep(session) {
    if (!this.gone.has(session.id)) this.known.set(session.id, session);
  }

  /**
   * @param {string} id
   * @param {Omit<Api.Methods["session.update"]["params"], "session_id">} changes
   */
  async update(id, changes) {
    const { session } = await this.socket.call("session.update", { session_id: id, ...changes });
    this.put(session);
  }

  /** @param {string} id */
  async delete(id) {
    this.deleted.add(id);
    try {
      await this.socket.call("session.delete", { session_id: id });
      this.remove(id);
    } catch (error) {
      this.deleted.delete(id);
      throw error;
    }
  }

  /** @param {string} id */
  remove(id) {
    this.gone.add(id);
    if (this.known.delete(id)) this.changed();
  }

  /** @param {Page.Fact | Page.RunEvent} event */
  hear(event) {
    if (event.type !== "CUSTOM") return;
    if (event.name === "session.created" || event.name === "session.updated") this.put(event.value);
    if (event.name === "session.deleted") this.remove(event.value);
  }

  changed() {
    this.tell("change");
  }
}
