// What is under the messages of a conversation because it is no part of it yet: on its way to the server, or waiting there.

import { pendingMessage, waitingMessage, waitingTurn } from "./message.js";
import { Outbox } from "./outbox.js";
import { Socket } from "./socket.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */

export class PendingItems {
  /** @param {{ outbox: Outbox, socket: Socket, actions: Page.Actions }} parts */
  constructor({ outbox, socket, actions }) {
    this.outbox = outbox;
    this.socket = socket;
    this.actions = actions;
  }

  /**
   * What is on its way, without what has arrived although its answer has not.
   * @param {Conversation | null} conversation
   */
  sent(conversation) {
    const { id, messages, queued } = conversation ?? { id: null, messages: [], queued: [] };
    const arrived = new Set([...messages.map((message) => message.id), ...queued.map((entry) => entry.message_id)]);
    return this.outbox.of(id).filter((entry) => !arrived.has(entry.message_id));
  }

  /**
   * @param {Conversation | null} conversation
   * @returns {Page.Item[]}
   */
  items(conversation) {
    return this.sent(conversation).map((entry) => this.item(entry));
  }

  /**
   * @param {Page.Entry} entry
   * @returns {Page.Item}
   */
  item(entry) {
    const words = this.words(entry);
    const actions = { retry: (/** @type {Page.Entry} */ it) => this.outbox.retry(it), edit: this.actions.reclaim };
    return {
      key: entry.message_id,
      version: `pending:${entry.state}:${words}`,
      build: () => pendingMessage(entry, words, actions),
    };
  }

  /** @param {Page.Entry} entry */
  words(entry) {
    if (this.socket.state !== "open") return "Will be sent when you are connected";
    const held = entry.state === "sending" && this.outbox.holds(entry.session_id);
    return held ? "Will be sent after the one before" : "Sending …";
  }

  /**
   * While an edit is on its way, it stands in the place of the message, and nothing after it.
   * @param {Conversation | null} conversation
   * @param {Page.Message[]} messages
   */
  upToEdit(conversation, messages) {
    const edited = new Set(this.sent(conversation).map((entry) => entry.edits));
    const at = messages.findIndex((message) => edited.has(message.id));
    return at < 0 ? messages : messages.slice(0, at);
  }

  /**
   * What waits for its turn.
   * @param {Conversation} conversation
   * @returns {Page.Item[]}
   */
  waiting({ queued, summarises }) {
    const { withdraw } = this.actions;
    const version = summarises ? "summary" : "answer";
    return queued.map((entry) => ({
      key: entry.run_id,
      version,
      build: () => (entry.text ? waitingMessage(entry, version, withdraw) : waitingTurn(entry, withdraw)),
    }));
  }
}
