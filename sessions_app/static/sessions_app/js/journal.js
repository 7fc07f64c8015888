// What happens, in order: the facts of all chats, each once, and the events of the runs that are open.
//
// A fact has a cursor, which rises by one from fact to fact. The newest one seen is remembered: after a lost connection,
// and where one is missing, the server is asked for those after it, and they are told as if they had come by themselves.
// While it is asked, facts that come by themselves are left out: it has them all, and sends later ones after its answer.

import { Emitter } from "./events.js";
import { Disconnected, Socket } from "./socket.js";

const PAGE = 200;

/**
 * Events: "event" with the params of a session.event; "reset" where everything is to be fetched, because there is no
 * cursor that helps; "current" when all is told that a new connection, or a reset, brings.
 * @extends {Emitter<{ event: Page.Notice, reset: undefined, current: undefined }>}
 */
export class Journal extends Emitter {
  /** @param {Socket} socket */
  constructor(socket) {
    super();
    this.socket = socket;
    /** @type {number | null} */
    this.cursor = null;
    this.asking = false;
    this.fresh = false; // "current" is still to be told
    socket.on("state", () => socket.state === "open" && this.begin());
    socket.on("event", (notice) => this.hear(notice));
  }

  /**
   * Takes the cursor of the facts that the list of chats reflects, where none is known: from there on all is told.
   * @param {number} cursor
   */
  reflects(cursor) {
    this.cursor ??= cursor;
  }

  begin() {
    this.fresh = true;
    if (!this.asking) this.catchUp();
  }

  /** @param {Api.RunNotification | Api.FactNotification} notice */
  hear(notice) {
    if (!("cursor" in notice)) this.tell("event", notice);
    else if (this.asking) return;
    else if (this.cursor === null || notice.cursor <= this.cursor + 1) this.take(notice);
    else this.catchUp();
  }

  /** @param {Api.FactNotification} notice */
  take(notice) {
    if (this.cursor !== null && notice.cursor <= this.cursor) return;
    this.cursor = notice.cursor;
    // What is deleted by now has no value. Its deletion follows.
    if (notice.event.value !== null) this.tell("event", /** @type {Page.FactNotice} */ (notice));
  }

  async catchUp() {
    this.asking = this.cursor !== null;
    if (!this.asking) this.tell("reset");
    while (this.asking && this.cursor !== null) this.asking = await this.ask(this.cursor);
    if (this.fresh) this.tell("current");
    this.fresh = false;
  }

  /**
   * Tells a page of what is missing; resolves with whether to ask again.
   * @param {number} since
   */
  async ask(since) {
    try {
      const { events, cursor, has_more, reset } = await this.socket.call("events.since", {
        cursor: since,
        limit: PAGE,
      });
      for (const notice of events) this.take(notice);
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

  /** @param {number | null} cursor */
  reset(cursor) {
    this.cursor = cursor;
    this.fresh = true;
    this.tell("reset");
  }
}
