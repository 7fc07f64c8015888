// A chat as an agent of AG-UI, for CopilotKit, assistant-ui and whatever else takes an AbstractAgent. It needs
// @ag-ui/client and rxjs, which the client itself does not.

import { AbstractAgent } from "@ag-ui/client";
import { Observable } from "rxjs";

/** @import { AgentConfig, BaseEvent, Message, RunAgentInput } from "@ag-ui/client" */
/** @import { Api } from "../api.d.ts" */
/** @import { Chat } from "./chat.js" */
/** @import { Client } from "./client.js" */
/** @import { Event } from "./telling.js" */

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Each thread is a session: the one that has its id, else a new one. The server's transcript is the truth: a new message at
 * the end is sent, one that stands behind an earlier message is put in the place of what followed there, and one that was
 * answered already is answered again. Tools, state and context of the page do not reach the model.
 */
export class HermesAgent extends AbstractAgent {
  /** @param {AgentConfig & { client: Client }} config */
  constructor({ client, ...config }) {
    super(config);
    this.client = client;
    /** @type {Map<string, string>} of each thread its session */
    this.sessions = new Map();
    /** @type {Map<string, string>} of the page's message ids that are no UUIDs, ours */
    this.ids = new Map();
    this.stop = () => {}; // the turn that is under way, or about to be
  }

  /**
   * @override
   * @param {RunAgentInput} input
   * @returns {Observable<BaseEvent>}
   */
  run(input) {
    return new Observable((subscriber) => {
      this.followRun(input, subscriber).then(
        () => subscriber.complete(),
        (error) => subscriber.error(error),
      );
    });
  }

  /**
   * Stops the turn; the text so far is kept.
   * @override
   */
  abortRun() {
    this.stop();
  }

  /** @override */
  clone() {
    const copy = /** @type {HermesAgent} */ (super.clone());
    copy.client = this.client;
    copy.sessions = this.sessions;
    copy.ids = this.ids;
    copy.stop = () => {};
    return copy;
  }

  /**
   * @param {RunAgentInput} input
   * @param {import("rxjs").Subscriber<BaseEvent>} subscriber
   */
  async followRun(input, subscriber) {
    /** @type {PromiseWithResolvers<void>} */
    const aborted = Promise.withResolvers();
    this.stop = aborted.resolve;
    const chat = await this.chatOf(input.threadId);
    const run = await this.begin(chat, input.messages);
    aborted.promise.then(() => run.stop()).catch(() => {}); // the run itself tells what is wrong
    for await (const event of run) {
      if (subscriber.closed) return;
      subscriber.next(/** @type {BaseEvent} */ (asAsked(event, input)));
    }
  }

  /** @param {string} threadId */
  async chatOf(threadId) {
    const known = this.sessions.get(threadId);
    if (known) return this.client.open(known);
    if (UUID.test(threadId)) {
      try {
        return await this.client.open(threadId);
      } catch (error) {
        if (/** @type {{ code?: number }} */ (error).code !== -32001) throw error;
      }
    }
    const chat = await this.client.create();
    this.sessions.set(threadId, chat.id);
    return chat;
  }

  /**
   * @param {Chat} chat
   * @param {Message[]} messages
   */
  async begin(chat, messages) {
    await this.client.reopen(chat);
    const shown = chat.messages.filter((message) => !message.kind);
    const at = messages.findLastIndex((message) => message.role === "user");
    const last = messages[at];
    if (!last) throw new Error("There is no message to answer.");
    const id = this.own(last.id);
    const known = shown.findIndex((message) => message.id === id);
    if (known >= 0) return chat.regenerate(answerTo(shown.slice(known + 1)));
    const text = textOf(last);
    const before = messages.slice(0, at).map((message) => this.own(message.id));
    const replaced = shown.slice(shown.findLastIndex((message) => before.includes(message.id)) + 1);
    const edited = replaced.find((message) => message.role === "user");
    return edited ? chat.edit(edited.id, text, { newId: id }) : chat.send(text, { messageId: id });
  }

  /** @param {string} id */
  own(id) {
    if (UUID.test(id)) return id.toLowerCase();
    const own = this.ids.get(id) ?? crypto.randomUUID();
    this.ids.set(id, own);
    return own;
  }
}

/**
 * The id of the last answer before the next question.
 * @param {Api.MessageShape[]} messages what follows a question
 */
function answerTo(messages) {
  const next = messages.findIndex((message) => message.role === "user");
  const answers = next < 0 ? messages : messages.slice(0, next);
  return answers.findLast((message) => message.role === "assistant")?.id;
}

/** @param {Message} message */
function textOf({ content }) {
  if (typeof content === "string") return content;
  const parts = Array.isArray(content) ? content : [];
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/**
 * An event as the page expects it: of its own thread and run. Clients from before 1.0 do not know the outcome "cancelled".
 * @param {Event} event
 * @param {RunAgentInput} input
 */
function asAsked(event, { threadId, runId, ...input }) {
  if (event.type !== "RUN_STARTED" && event.type !== "RUN_FINISHED") return event;
  const told = { ...event, threadId, runId };
  if (told.type === "RUN_FINISHED" && !("protocolVersion" in input)) delete told.outcome;
  return told;
}
