// The user's chats, as far as they were loaded. Fires "change". A page that fails for a passing reason is tried again.

import { isPassing, Retry } from "./retry.js";

const PAGE = 50;

export class Sessions extends EventTarget {
  constructor(socket, journal) {
    super();
    Object.assign(this, { socket, journal });
    this.archived = false;
    this.deleted = new Set(); // ids of those that this page has deleted, or is deleting
    this.trying = new Retry(socket);
    this.trying.addEventListener("change", () => this.changed());
    this.reset();
    journal.addEventListener("event", ({ detail }) => this.hear(detail.event));
  }

  reset() {
    this.known = new Map();
    this.cursor = null;
    this.begun = false; // the first page is here
    this.complete = false;
    this.loading = null;
  }

  get(id) {
    return this.known.get(id);
  }

  /** Those of the present view, pinned ones first, then newest activity first. */
  get shown() {
    return [...this.known.values()]
      .filter((session) => session.archived === this.archived)
      .sort((a, b) => b.pinned - a.pinned || Date.parse(b.updated_at) - Date.parse(a.updated_at));
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
    const kept = this.known;
    this.reset();
    this.known = kept;
    const found = await this.next();
    if (!found) return;
    // What is gone from the server must go from here, as far as this page can tell.
    const oldest = this.complete ? -Infinity : Date.parse(found.at(-1).updated_at);
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
    const params = { limit: PAGE, archived: this.archived };
    if (this.cursor) params.cursor = this.cursor;
    const answer = await this.socket.call("session.list", params).catch((error) => this.fail(error));
    if (!answer || params.archived !== this.archived) return undefined;
    this.trying.over();
    this.journal.reflects(answer.cursor);
    this.begun = true;
    for (const session of answer.sessions) this.known.set(session.id, session);
    this.cursor = answer.next_cursor;
    this.complete = !this.cursor;
    this.changed();
    return answer.sessions;
  }

  /** A lost connection has its own words, and all is loaded again when it is back. */
  fail(error) {
    if (isPassing(error)) this.trying.pause(error).then(() => (this.cursor ? this.next() : this.loadFirst()));
  }

  async show(archived) {
    this.archived = archived;
    this.loading = null;
    await this.reload();
  }

  put(session) {
    this.known.set(session.id, session);
    this.changed();
  }

  async update(id, changes) {
    const { session } = await this.socket.call("session.update", { session_id: id, ...changes });
    this.put(session);
  }

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

  remove(id) {
    if (this.known.delete(id)) this.changed();
  }

  hear(event) {
    if (event.name === "session.created" || event.name === "session.updated") this.put(event.value);
    if (event.name === "session.deleted") this.remove(event.value);
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}
