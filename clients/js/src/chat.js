// An open session: what is said in it, and the turns that answer.

import { Following } from "./following.js";
import { Run } from "./run.js";

/** @import { Api } from "../api.d.ts" */
/** @import { Client } from "./client.js" */

/** A session that is open: made by `Client.open` and `Client.create`, and kept true until `close`. */
export class Chat {
  /** @type {Client} */
  #client;

  /**
   * @param {Client} client
   * @param {string} id
   * @param {number} limit
   */
  constructor(client, id, limit) {
    this.#client = client;
    this.id = id;
    this.limit = limit;
    /** @type {Api.SessionShape | null} the session as it was last told */
    this.session = null;
    /** @type {Api.MessageShape[]} the messages of its end when it was opened last */
    this.messages = [];
    this.hasMore = false; // there are older ones
    this.following = new Following(id, () => client.mend(this));
  }

  /** The turn that is on, whoever has begun it. */
  get running() {
    return this.following.running ? this.#run(this.following.running) : null;
  }

  /**
   * Says something; resolves once it is stored, whatever happens to the connection meanwhile. Rejects with Refused.
   * `files` are ids. With a `messageId` (a UUID) of your own it is one turn however often it is sent, also by another
   * process.
   * @param {string} text
   * @param {{ files?: string[], messageId?: string, revision?: number }} [options]
   */
  async send(text, { messageId, ...options } = {}) {
    const given = { session_id: this.id, text, message_id: messageId ?? crypto.randomUUID(), ...options };
    const run = await this.#begin(() => this.#client.call("turn.start", given));
    if (messageId && !this.following.run(run.id).began && !run.outcome) {
      // It may have ended long ago.
      this.following.doubt([run.id]);
      await this.#client.reopen(this);
    }
    return run;
  }

  /**
   * Says something in the place of an earlier message: both stay, each in its branch. Without `files` it has those of the
   * earlier message. Rejects with Refused.
   * @param {string} messageId
   * @param {string} text
   * @param {{ files?: string[], newId?: string }} [options]
   */
  edit(messageId, text, { newId = crypto.randomUUID(), ...options } = {}) {
    const given = { message_id: messageId, text, new_id: newId, ...options };
    return this.#begin(() => this.#client.call("message.edit", given));
  }

  /**
   * Asks for another answer in the place of one, or of the last. Rejects with Refused, and with Disconnected: then nobody
   * knows whether that was carried out, and `running` says so once the client is connected again.
   * @param {string} [messageId]
   * @param {{ profile?: number }} [options]
   */
  regenerate(messageId, options = {}) {
    const given = { session_id: this.id, ...options };
    return this.#begin(() =>
      this.#client.call("turn.regenerate", messageId ? { ...given, message_id: messageId } : given),
    );
  }

  /** Stops the running turn; the text so far is kept. False: none ran. */
  async stop() {
    return (await this.running?.stop()) ?? false;
  }

  /**
   * Messages before a position.
   * @param {number} before
   * @param {number} [limit]
   */
  earlier(before, limit = 50) {
    return this.#client.call("session.messages", { session_id: this.id, before, limit });
  }

  /** Hears no more of its turns. They go on. */
  async close() {
    this.#client.forget(this);
    await this.#client.call("session.close", { session_id: this.id });
  }

  /**
   * Takes the answer to session.open, whose facts have been told.
   * @param {Api.OpenResult} result
   */
  opened(result) {
    this.session = result.session;
    this.messages = result.messages;
    this.hasMore = result.has_more;
    this.following.opened(result);
  }

  /**
   * Takes a fact of this session.
   * @param {Api.FactNotification} fact
   */
  hearFact(fact) {
    const { name, value } = fact.event;
    if ((name === "session.updated" || name === "branch.selected") && value) this.session = value;
    this.following.hearFact(fact);
  }

  /** @param {() => Promise<{ run_id: string, message?: Api.MessageShape }>} request */
  async #begin(request) {
    this.following.ask();
    try {
      const { run_id: runId, message } = await request();
      if (message) this.following.run(runId).asked = message.id;
      return this.#run(runId);
    } finally {
      this.following.answered();
    }
  }

  /** @param {string} runId */
  #run(runId) {
    return new Run(this.id, runId, this.following.run(runId).feed, (id) => this.#stop(id));
  }

  /** @param {string} runId */
  async #stop(runId) {
    return (await this.#client.call("turn.stop", { session_id: this.id, run_id: runId })).stopped;
  }
}
