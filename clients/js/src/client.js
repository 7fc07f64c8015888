// A user's chats over one connection.

import { Chat } from "./chat.js";
import { Connection } from "./connection.js";
import { HermesError, NotFound } from "./errors.js";
import { Journal } from "./journal.js";

/** @import { Api } from "../api.d.ts" */
/** @import { Notice, Params, Result } from "./connection.js" */
/** @import { Options } from "./opening.js" */
/** @typedef {Api.FactNotification | null} Fact null stands for facts that are no longer kept: fetch again */

/**
 * Resolves with a client that is connected, and connects again by itself until it is closed. `url` is the WebSocket's
 * (`wss://HOST/ws/chat/`). With the `cursor` that an earlier client had, `facts` begin after it. Rejects with Denied, and
 * with Disconnected where the site cannot be reached.
 * @param {string} url
 * @param {Options & { cursor?: number }} [options]
 */
export async function connect(url, { cursor, ...options } = {}) {
  const client = new Client(url, options, cursor ?? null);
  await client.start();
  return client;
}

/** Made by `connect`. `close` it. */
export class Client {
  /** @type {Connection} */
  #connection;
  /** @type {Journal} */
  #journal;
  /** @type {Map<string, Chat>} */
  #chats = new Map();
  /** @type {Set<(fact: Fact | HermesError) => void>} */
  #listeners = new Set();

  /**
   * @param {string} url
   * @param {Options} options
   * @param {number | null} cursor
   */
  constructor(url, options, cursor) {
    this.#connection = new Connection(url, options, {
      hear: (notice) => this.#hear(notice),
      greet: () => this.#greet(),
      ended: (error) => this.#ended(error),
    });
    this.#journal = new Journal(
      cursor,
      this.#connection,
      (fact) => this.#tell(fact),
      () => this.#reset(),
    );
  }

  /** Connects: `connect` does it. */
  start() {
    return this.#connection.start();
  }

  /** Closes the connection. Turns go on. */
  close() {
    this.#connection.close();
  }

  /** That of the last fact: with it another client goes on from here. */
  get cursor() {
    return this.#journal.cursor ?? 0;
  }

  /**
   * The result of any method of docs/api.md. Rejects with Refused, Denied, and with Disconnected where the connection was
   * lost before the answer, and sending it again might do it twice.
   * @template {keyof Api.Methods} Method
   * @param {Method} method
   * @param {Params<Method>} params
   * @returns {Promise<Result<Method>>}
   */
  call(method, params) {
    return this.#connection.call(method, params);
  }

  /**
   * Sessions, newest activity first; takes what `session.list` does.
   * @param {Params<"session.list">} [params]
   */
  async *sessions(params = {}) {
    for (let cursor = /** @type {string | null | undefined} */ (undefined); cursor !== null; ) {
      const page = await this.call("session.list", cursor ? { ...params, cursor } : params);
      yield* page.sessions;
      cursor = page.next_cursor;
    }
  }

  /** The profiles that this user may choose. */
  async profiles() {
    return (await this.call("profile.list", {})).profiles;
  }

  /**
   * Makes a session and opens it. Rejects with Refused, Disconnected.
   * @param {Params<"session.create">} [params]
   */
  async create(params = {}) {
    return this.open((await this.call("session.create", params)).session.id);
  }

  /**
   * Opens a session with its last messages; the same chat where it is open. Rejects with Refused.
   * @param {string} sessionId
   * @param {number} [limit]
   */
  async open(sessionId, limit = 50) {
    const known = this.#chats.get(sessionId);
    if (known) return known;
    const chat = new Chat(this, sessionId, limit);
    this.#chats.set(sessionId, chat);
    try {
      await this.reopen(chat);
    } catch (error) {
      this.forget(chat);
      throw error;
    }
    return chat;
  }

  /**
   * What becomes true of the user's sessions from here on, in order, each once. Null stands for facts that are no longer
   * kept, after a very long time without a connection: fetch again. Throws Denied, and Disconnected where the client is
   * closed.
   * @returns {AsyncGenerator<Fact, void, void>}
   */
  facts() {
    /** @type {(Fact | HermesError)[]} */
    const told = this.#connection.end ? [this.#connection.end] : [];
    let more = Promise.withResolvers();
    /** @param {Fact | HermesError} fact */
    const listen = (fact) => {
      told.push(fact);
      more.resolve(undefined);
    };
    this.#listeners.add(listen);
    const stop = () => this.#listeners.delete(listen);
    return (async function* () {
      try {
        for (;;) {
          for (let fact = told.shift(); fact !== undefined; fact = told.shift()) {
            if (fact instanceof HermesError) throw fact;
            yield fact;
          }
          await more.promise;
          more = Promise.withResolvers();
        }
      } finally {
        stop();
      }
    })();
  }

  /**
   * Opens a chat's session again, and tells it what it lacks.
   * @param {Chat} chat
   */
  async reopen(chat) {
    await this.#open(chat, this.#connection.call("session.open", ...opening(chat)));
  }

  /**
   * Does that soon.
   * @param {Chat} chat
   */
  mend(chat) {
    this.reopen(chat).catch(() => {}); // the next handshake does it again
  }

  /**
   * Tells a chat nothing more.
   * @param {Chat} chat
   */
  forget(chat) {
    this.#chats.delete(chat.id);
  }

  /**
   * @param {Chat} chat
   * @param {Promise<Api.OpenResult>} answer
   */
  async #open(chat, answer) {
    const result = await answer;
    if (this.cursor < result.cursor) await this.#journal.catchUp();
    chat.opened(result);
  }

  /** @param {Notice} notice */
  #hear(notice) {
    if (notice.run_id !== null) this.#chats.get(notice.session_id)?.following.hearEvent(notice);
    else if (!this.#journal.hear(notice)) this.#journal.catchUp().catch(() => {});
  }

  async #greet() {
    await this.#journal.begin();
    for (const chat of this.#chats.values()) {
      try {
        await this.#open(chat, this.#connection.ask("session.open", ...opening(chat)));
      } catch (error) {
        if (!(error instanceof NotFound)) throw error;
        chat.following.end("deleted", "The chat was deleted.");
        this.forget(chat);
      }
    }
    await this.#journal.catchUp();
  }

  /** @param {HermesError} error */
  #ended(error) {
    for (const chat of this.#chats.values()) chat.following.lose(error);
    for (const listen of this.#listeners) listen(error);
  }

  /** @param {Api.FactNotification} fact */
  #tell(fact) {
    this.#chats.get(fact.session_id ?? "")?.hearFact(fact);
    for (const listen of this.#listeners) listen(fact);
  }

  #reset() {
    for (const chat of this.#chats.values()) chat.following.doubt();
    for (const listen of this.#listeners) listen(null);
  }
}

/**
 * What `session.open` is asked with, and what takes its answer as it comes.
 * @param {Chat} chat
 * @returns {[Params<"session.open">, (result: Api.OpenResult) => void]}
 */
const opening = (chat) => [{ session_id: chat.id, limit: chat.limit }, (result) => chat.following.hold(result)];
