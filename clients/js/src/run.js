// One turn of a chat, for those who read it.

import { HermesError, RunFailed } from "./errors.js";

/** @import { Api } from "../api.d.ts" */
/** @import { Event } from "./telling.js" */

/** A run's events so far, and word of more. Lives as long as somebody reads it or the run goes on. */
export class Feed {
  constructor() {
    /** @type {Event[]} */
    this.events = [];
    /** @type {Api.MessageShape | null} */
    this.message = null;
    this.over = false;
    /** @type {HermesError | null} */
    this.lost = null;
    /** @type {PromiseWithResolvers<void>} */
    this.more = Promise.withResolvers();
  }

  /**
   * Lets readers have events; RUN_FINISHED and RUN_ERROR are the last.
   * @param {Iterable<Event>} events
   */
  add(events) {
    for (const event of events) {
      this.events.push(event);
      this.over = event.type === "RUN_FINISHED" || event.type === "RUN_ERROR";
    }
    this.wake();
  }

  /**
   * Tells readers that nothing more comes.
   * @param {HermesError} error
   */
  lose(error) {
    this.lost = error;
    this.wake();
  }

  wake() {
    this.more.resolve();
    this.more = Promise.withResolvers();
  }
}

/**
 * A turn: its events from the first on, for as many readers as there are, whenever they begin.
 *
 * Iterate over it for AG-UI's events, over `texts()` for the words alone; await `answer()` for the answer as a whole.
 * Nothing of it is lost or doubled where the connection is.
 */
export class Run {
  /** @type {Feed} */
  #feed;
  /** @type {(runId: string) => Promise<boolean>} */
  #stop;

  /**
   * @param {string} sessionId
   * @param {string} id
   * @param {Feed} feed
   * @param {(runId: string) => Promise<boolean>} stop
   */
  constructor(sessionId, id, feed, stop) {
    this.id = id;
    this.sessionId = sessionId;
    this.#feed = feed;
    this.#stop = stop;
  }

  /** The answer's message, once it is stored. */
  get message() {
    return this.#feed.message;
  }

  /** The event that ended the turn, RUN_FINISHED or RUN_ERROR; null while it goes on. */
  get outcome() {
    return this.#feed.over ? (this.#feed.events.at(-1) ?? null) : null;
  }

  /**
   * Each event. Throws Denied, and Disconnected where the client is closed meanwhile.
   * @returns {AsyncGenerator<Event, void, void>}
   */
  async *[Symbol.asyncIterator]() {
    const feed = this.#feed;
    for (let told = 0; ; ) {
      for (let event = feed.events[told]; event; event = feed.events[told]) {
        told += 1;
        yield event;
      }
      if (feed.over) return;
      if (feed.lost) throw feed.lost;
      await feed.more.promise;
    }
  }

  /**
   * The answer's text, piece by piece, with an empty line between its steps. Throws RunFailed.
   * @returns {AsyncGenerator<string, void, void>}
   */
  async *texts() {
    let spoken = "";
    for await (const event of this) {
      if (event.type === "TEXT_MESSAGE_CONTENT") {
        if (spoken && event.messageId !== spoken) yield "\n\n";
        spoken = event.messageId;
        yield event.delta;
      } else if (event.type === "RUN_ERROR") {
        throw new RunFailed(event.code ?? "", event.message);
      }
    }
  }

  /** Resolves with the answer's message when the turn has ended; null where it was stopped before a word. */
  async answer() {
    for await (const _ of this.texts());
    return this.message;
  }

  /** Stops the turn; the text so far is kept. False: it had ended before. */
  stop() {
    return this.#stop(this.id);
  }
}
