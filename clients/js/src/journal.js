// The facts of the user's sessions, in order, each once: also over lost connections.
//
// A fact has a cursor, which rises by one from fact to fact. Where one is missing, and after each handshake, the server
// is asked for those after the last one. Facts that come by themselves meanwhile are not needed: they are in its answer,
// or come after it. So an answer is taken as it comes, before the frame after it.

/** @import { Api } from "../api.d.ts" */

const PAGE = 200;

/** `tell` gets each fact; `reset`: some are no longer kept. `cursor` is that of the last one. */
export class Journal {
  /**
   * @param {number | null} cursor
   * @param {import("./connection.js").Connection} connection
   * @param {(fact: Api.FactNotification) => void} tell
   * @param {() => void} reset
   */
  constructor(cursor, connection, tell, reset) {
    this.cursor = cursor;
    this.connection = connection;
    this.tell = tell;
    this.reset = reset;
    /** @type {Promise<void>} */
    this.asked = Promise.resolve();
    this.asking = 0;
  }

  /**
   * Takes a fact that came by itself. Returns false where one is missing before it: then `catchUp`.
   * @param {Api.FactNotification} fact
   */
  hear(fact) {
    if (this.cursor === null || fact.cursor > this.cursor + 1) return this.asking > 0;
    this.take(fact);
    return true;
  }

  /** Begins with what happens from now on, unless it is known where. Rejects with Refused, Disconnected. */
  begin() {
    return this.inTurn(async () => {
      if (this.cursor !== null) return;
      await this.connection.ask("session.list", { limit: 1 }, ({ cursor }) => {
        this.cursor = cursor;
      });
    });
  }

  /** Tells all facts that are missing. Rejects with Refused, Disconnected. */
  catchUp() {
    return this.inTurn(async () => {
      for (let hasMore = true; hasMore; ) {
        const given = { cursor: this.cursor ?? 0, limit: PAGE };
        hasMore = (await this.connection.ask("events.since", given, (page) => this.takePage(page))).has_more;
      }
    });
  }

  /** @param {Api.SinceResult} page */
  takePage({ events, reset, cursor }) {
    for (const fact of events) this.take(fact);
    if (!reset) return;
    this.cursor = cursor;
    this.reset();
  }

  /**
   * One after the other.
   * @param {() => Promise<void>} work
   */
  inTurn(work) {
    this.asking += 1;
    const done = this.asked.then(work).finally(() => {
      this.asking -= 1;
    });
    this.asked = done.catch(() => {});
    return done;
  }

  /** @param {Api.FactNotification} fact */
  take(fact) {
    if (this.cursor === null || fact.cursor <= this.cursor) return;
    this.cursor = fact.cursor;
    this.tell(fact);
  }
}
