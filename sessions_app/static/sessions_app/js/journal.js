// What happens, in order: the facts of all chats, each once, and the events of the runs that are open.
//
// A fact has a cursor, which rises by one from fact to fact. The newest one seen is remembered: after a lost connection,
// and where one is missing, the server is asked for those after it, and they are told as if they had come by themselves.
// While it is asked, facts that come by themselves are left out: it has them all, and sends later ones after its answer.
// Events: "event" with the params of a session.event; "reset" where everything is to be fetched, because there is no
// cursor that helps; "current" when all is told that a new connection, or a reset, brings.

import { Disconnected } from "./socket.js";

const PAGE = 200;

export class Journal extends EventTarget {
  constructor(socket) {
    super();
    this.socket = socket;
    this.cursor = null;
    this.asking = false;
    this.fresh = false; // "current" is still to be told
    socket.addEventListener("state", () => socket.state === "open" && this.begin());
    socket.addEventListener("event", ({ detail }) => this.hear(detail));
  }

  /** Takes the cursor of the facts that the list of chats reflects, where none is known: from there on all is told. */
  reflects(cursor) {
    this.cursor ??= cursor;
  }

  begin() {
    this.fresh = true;
    if (!this.asking) this.catchUp();
  }

  hear(notice) {
    if (notice.cursor === undefined) this.tell("event", notice);
    else if (this.asking) return;
    else if (this.cursor === null || notice.cursor <= this.cursor + 1) this.take(notice);
    else this.catchUp();
  }

  take(notice) {
    if (this.cursor !== null && notice.cursor <= this.cursor) return;
    this.cursor = notice.cursor;
    // What is deleted by now has no value. Its deletion follows.
    if (notice.event.value !== null) this.tell("event", notice);
  }

  async catchUp() {
    this.asking = this.cursor !== null;
    if (!this.asking) this.tell("reset");
    while (this.asking) this.asking = await this.ask();
    if (this.fresh) this.tell("current");
    this.fresh = false;
  }

  /** Tells a page of what is missing; resolves with whether to ask again. */
  async ask() {
    try {
      const { events, cursor, has_more, reset } = await this.socket.call("events.since", {
        cursor: this.cursor,
        limit: PAGE,
      });
      events.forEach((notice) => this.take(notice));
      if (reset) this.reset(cursor);
      return has_more;
    } catch (error) {
      if (!(error instanceof Disconnected)) {
        this.reset(null);
        return false;
      }
      await this.socket.ready();
      return true;
    }
  }

  reset(cursor) {
    this.cursor = cursor;
    this.fresh = true;
    this.tell("reset");
  }

  tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
