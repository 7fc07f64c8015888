// The conversation on the screen.

import { announce } from "./announce.js";
import { Conversation } from "./conversation.js";
import { $, h, reconcile, within } from "./dom.js";
import { Markdown } from "./markdown.js";
import { assistantMessage, note, pendingMessage, toolMessage, userMessage } from "./message.js";
import { Outbox } from "./outbox.js";
import { Run } from "./run.js";
import { Scroll } from "./scroll.js";
import { Socket } from "./socket.js";
import { StreamView } from "./stream.js";
import { canContinue, explainError, explainFinish, mayHelpAgain } from "./words.js";

const SUGGESTIONS = [
  "Calculate 12*(3+4)",
  "Show me a table",
  "Write a short Python example",
  "Search my chats for table",
];

/**
 * What the page does about a suggestion, a retry, an edit.
 * @typedef {{ send(text: string): void, edit(entry: Page.Entry): void, startOver(text: string): void }} Actions
 */
/**
 * What stands under a message: why there is no answer, or no more of it.
 * @typedef {{ error: Page.TurnError, finish?: undefined } | { error?: undefined, finish: Page.Finish }} Note
 */

export class Thread {
  /** @param {{ markdown: Markdown, outbox: Outbox, socket: Socket, scroll: Scroll, actions: Actions }} parts */
  constructor({ markdown, outbox, socket, scroll, actions }) {
    this.markdown = markdown;
    this.outbox = outbox;
    this.socket = socket;
    this.scroll = scroll;
    this.actions = actions;
    this.box = $("thread");
    /** @type {Conversation | null} */
    this.conversation = null;
    /** @type {{ id: string, view: StreamView } | null} */
    this.stream = null; // the view of the newest run: {id, view}
    outbox.on("change", () => this.draw());
    socket.on("state", () => this.draw());
    scroll.on("top", () => this.older());
  }

  /**
   * Shows a conversation, or with null the page for a new one.
   * @param {Conversation | null} conversation
   */
  open(conversation) {
    this.conversation = conversation;
    this.stream = null;
    this.box.replaceChildren();
    conversation?.on("change", () => conversation === this.conversation && this.draw());
    conversation?.on("run", () => conversation === this.conversation && this.drawRun());
    conversation?.on("said", (words) => conversation === this.conversation && announce(words));
    this.draw();
    this.scroll.reset();
  }

  draw() {
    this.scroll.still(() => reconcile(this.box, this.items()));
    this.drawRun();
  }

  drawRun() {
    const run = this.conversation?.run;
    const { stream } = this;
    if (run && !run.over && run.id === stream?.id) this.scroll.still(() => stream.view.show(run));
  }

  items() {
    const { conversation } = this;
    const pending = this.pending().map((entry) => this.pendingItem(entry));
    if (!conversation) return pending.length ? pending : [this.welcome()];
    if (!conversation.loaded) return [skeleton(), ...pending];
    const items = [...this.olderItems(conversation), ...this.messageItems(conversation, pending.length), ...pending];
    return items.length ? items : [this.welcome()];
  }

  /**
   * @param {Conversation} conversation
   * @returns {Page.Item[]}
   */
  olderItems({ hasMore, tryingOlder }) {
    if (!hasMore) return [];
    if (!tryingOlder.troubled)
      return [{ key: "older", version: "", build: () => h("p", { class: "older", text: "Loading older messages …" }) }];
    const words = "Older messages could not be loaded. It is being tried again.";
    return [
      { key: "older", version: "troubled", build: () => note("wait", words, ["Try now", () => tryingOlder.now()]) },
    ];
  }

  /**
   * The messages, each with its note under it; the running answer comes last.
   * @param {Conversation} conversation
   * @param {number} pending how many are on their way
   */
  messageItems({ messages, run, queued, unanswered }, pending) {
    const idle = !run && !queued.length && !pending;
    /** @type {Map<string, Page.Message>} */
    const results = new Map(
      messages.flatMap((message) => (message.tool_call_id ? [[message.tool_call_id, message]] : [])),
    );
    const called = new Set(messages.flatMap((message) => (message.tool_calls ?? []).map((call) => call.id)));
    const items = messages.flatMap((message) => {
      const shown = called.has(message.tool_call_id ?? "") ? [] : [this.messageItem(message, results)];
      return [
        ...shown,
        ...this.noteItems(message.id, noteOf(message, unanswered), idle && message === messages.at(-1)),
      ];
    });
    return run && !run.over ? [...items, this.runItem(run)] : items;
  }

  /**
   * @param {Page.Message} message
   * @param {Map<string, Page.Message>} results
   * @returns {Page.Item}
   */
  messageItem(message, results) {
    const answered = (message.tool_calls ?? []).map((call) => results.get(call.id)?.text.length ?? "-").join();
    const version = `${message.status}:${fingerprint(message)}:${answered}:${message.reasoning?.length ?? 0}`;
    const build = {
      user: () => userMessage(message),
      assistant: () => assistantMessage(message, this.markdown, results, this.stream?.view.leave(message.id)),
      tool: () => toolMessage(message),
    }[message.role];
    return { key: message.id, version, build };
  }

  /**
   * @param {Run} run
   * @returns {Page.Item}
   */
  runItem(run) {
    const build = () => {
      const view = new StreamView(this.markdown);
      this.stream = { id: run.id, view };
      return view.element;
    };
    return { key: `run:${run.id}`, version: "", build };
  }

  /**
   * The note with what can be done about it; only at the end of the chat anything can.
   * @param {string} place
   * @param {Note | null} shown
   * @param {boolean} isEnd
   * @returns {Page.Item[]}
   */
  noteItems(place, shown, isEnd) {
    if (!shown) return [];
    const words = shown.error ? explainError(shown.error) : (explainFinish(shown.finish) ?? "");
    const buttons = isEnd ? this.remedies(shown) : [];
    return [
      {
        key: `note:${place}`,
        version: `${words}:${isEnd}`,
        build: () => note(shown.error ? "bad" : "", words, ...buttons),
      },
    ];
  }

  /**
   * @param {Note} note
   * @returns {Page.Choice[]}
   */
  remedies({ error, finish }) {
    if (!error) return canContinue(finish) ? [["Continue", () => this.actions.send("Continue.")]] : [];
    const asked = this.conversation?.messages.findLast((message) => message.role === "user");
    if (!asked) return [];
    if (mayHelpAgain(error)) return [["Try again", () => this.actions.send(asked.text)]];
    return [["Edit in a new chat", () => this.actions.startOver(asked.text)]];
  }

  /** What is on its way, without what has arrived although its answer has not. */
  pending() {
    const { id, messages, queued } = this.conversation ?? { id: null, messages: [], queued: [] };
    const arrived = new Set([...messages.map((message) => message.id), ...queued.map((entry) => entry.message_id)]);
    return this.outbox.of(id).filter((entry) => !arrived.has(entry.message_id));
  }

  /**
   * @param {Page.Entry} entry
   * @returns {Page.Item}
   */
  pendingItem(entry) {
    const held = entry.state === "sending" && this.outbox.holds(entry.session_id);
    const words =
      this.socket.state !== "open"
        ? "Will be sent when you are connected"
        : held
          ? "Will be sent after the one before"
          : "Sending …";
    const actions = { retry: (/** @type {Page.Entry} */ it) => this.outbox.retry(it), edit: this.actions.edit };
    return {
      key: entry.message_id,
      version: `pending:${entry.state}:${words}`,
      build: () => pendingMessage(entry, words, actions),
    };
  }

  /** @returns {Page.Item} */
  welcome() {
    const build = () => {
      const mark = within(document, ".mark", SVGElement).cloneNode(true);
      const buttons = SUGGESTIONS.map((text) =>
        h("li", {}, h("button", { type: "button", text, on: { click: () => this.actions.send(text) } })),
      );
      return h(
        "div",
        { class: "welcome" },
        mark,
        h("h2", { text: "What can I do for you?" }),
        h("p", { text: "Ask anything. Your chats stay here, and every window you open shows the same." }),
        h("ul", { class: "suggestions", "aria-label": "Suggestions" }, ...buttons),
      );
    };
    return { key: "welcome", version: "", build };
  }

  async older() {
    const { conversation } = this;
    if (conversation?.loaded && conversation.hasMore && !conversation.fetching && (await conversation.older()))
      this.scroll.reach();
  }

  /**
   * Shows the message at a position, loading what is before it where needed.
   * @param {number} position
   */
  async goTo(position) {
    const message = await this.conversation?.messageAt(position);
    const children = /** @type {HTMLElement[]} */ ([...this.box.children]);
    const node = message && children.find((child) => child.dataset.key === message.id);
    if (node) this.scroll.show(node);
  }
}

/**
 * @param {Page.Message} message
 * @param {string | null} unanswered the id of the message that has no answer
 * @returns {Note | null}
 */
function noteOf({ id, role, status, error, finish }, unanswered) {
  if (error) return { error };
  if (["interrupted", "failed"].includes(status)) return { error: { code: status } };
  if (role === "user") return id === unanswered ? { error: { code: "unanswered" } } : null;
  return finish ? { finish } : null;
}

/** @type {WeakMap<Page.Message, number>} */
const fingerprints = new WeakMap();

/**
 * A number that changes with a message's text; FNV-1a, made once for each message received.
 * @param {Page.Message} message
 */
function fingerprint(message) {
  const known = fingerprints.get(message);
  if (known !== undefined) return known;
  let hash = 0x811c9dc5;
  for (let place = 0; place < message.text.length; place += 1) {
    hash = Math.imul(hash ^ message.text.charCodeAt(place), 0x01000193);
  }
  fingerprints.set(message, hash);
  return hash;
}

/** @returns {Page.Item} */
function skeleton() {
  const lines = Array.from({ length: 6 }, () => h("div", { class: "skeleton" }));
  return {
    key: "loading",
    version: "",
    build: () => h("div", { class: "loading", role: "img", "aria-label": "Loading the chat" }, ...lines),
  };
}
