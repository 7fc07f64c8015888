// The conversation on the screen.

import { announce } from "./announce.js";
import { $, h, reconcile } from "./dom.js";
import { assistantMessage, note, pendingMessage, toolMessage, userMessage } from "./message.js";
import { StreamView } from "./stream.js";
import { explainRun } from "./words.js";

const SUGGESTIONS = ["Calculate 12*(3+4)", "Show me a table", "Write a short Python example", "Search my chats for table"];

export class Thread {
  /** `actions`: {send(text), edit(entry)}; what the page does about a suggestion, a retry, an edit. */
  constructor({ markdown, outbox, socket, scroll, actions }) {
    Object.assign(this, { markdown, outbox, socket, scroll, actions });
    this.box = $("thread");
    this.conversation = null;
    this.stream = null;
    outbox.addEventListener("change", () => this.draw());
    socket.addEventListener("state", () => this.draw());
    scroll.addEventListener("top", () => this.older());
  }

  /** Shows a conversation, or with null the page for a new one. */
  open(conversation) {
    this.conversation = conversation;
    this.stream = null;
    this.box.replaceChildren();
    conversation?.addEventListener("change", () => conversation === this.conversation && this.draw());
    conversation?.addEventListener("run", () => conversation === this.conversation && this.drawRun());
    conversation?.addEventListener("said", ({ detail }) => conversation === this.conversation && announce(detail));
    this.draw();
    this.scroll.reset();
  }

  draw() {
    this.scroll.still(() => reconcile(this.box, this.items()));
    this.drawRun();
  }

  drawRun() {
    const run = this.conversation?.run;
    if (!run || !this.stream) return;
    this.scroll.still(() => this.stream.show(run));
  }

  items() {
    const pending = this.pending().map((entry) => this.pendingItem(entry));
    if (!this.conversation) return pending.length ? pending : [this.welcome()];
    if (!this.conversation.loaded) return [skeleton(), ...pending];
    const items = [...this.olderItems(), ...this.messageItems(), ...this.runItems(), ...this.troubleItems(pending.length), ...pending];
    return items.length ? items : [this.welcome()];
  }

  olderItems() {
    if (!this.conversation.hasMore) return [];
    return [{ key: "older", version: "", build: () => h("p", { class: "older", text: "Loading older messages …" }) }];
  }

  messageItems() {
    const { messages } = this.conversation;
    const results = new Map(messages.filter((message) => message.tool_call_id).map((message) => [message.tool_call_id, message]));
    const called = new Set(messages.flatMap((message) => (message.tool_calls ?? []).map((call) => call.id)));
    return messages
      .filter((message) => message.role !== "tool" || !called.has(message.tool_call_id))
      .map((message) => this.messageItem(message, results));
  }

  messageItem(message, results) {
    const thoughts = this.conversation.thoughts.get(message.id) ?? [];
    const answered = (message.tool_calls ?? []).map((call) => results.get(call.id)?.text.length ?? "-").join();
    const version = `${message.status}:${fingerprint(message)}:${answered}:${thoughts.length}`;
    const build = {
      user: () => userMessage(message),
      assistant: () => assistantMessage(message, this.markdown, results, thoughts),
      tool: () => toolMessage(message),
    }[message.role];
    return { key: message.id, version, build };
  }

  runItems() {
    const { run } = this.conversation;
    if (!run) {
      this.stream = null;
      return [];
    }
    const build = () => {
      this.stream = new StreamView(this.markdown);
      return this.stream.element;
    };
    return [{ key: "run", version: run.id, build }];
  }

  /** Under the last message: why there is no answer, and a way to ask again. */
  troubleItems(pending) {
    const { messages, run, queued, trouble } = this.conversation;
    const last = messages.at(-1);
    if (run || queued.length || pending || !last) return [];
    const words = trouble ? explainRun(trouble.code, trouble.message) : unanswered(last);
    if (!words) return [];
    const asked = messages.findLast((message) => message.role === "user");
    const again = asked ? [["Try again", () => this.actions.send(asked.text)]] : [];
    return [{ key: "trouble", version: words, build: () => note("bad", words, ...again) }];
  }

  /** What is on its way, without what has arrived although its answer has not. */
  pending() {
    const { id, messages, queued } = this.conversation ?? { id: null, messages: [], queued: [] };
    const arrived = new Set([...messages.map((message) => message.id), ...queued.map((entry) => entry.message_id)]);
    return this.outbox.of(id).filter((entry) => !arrived.has(entry.message_id));
  }

  pendingItem(entry) {
    const held = entry.state === "sending" && this.outbox.holds(entry.session_id);
    const words = this.socket.state !== "open" ? "Will be sent when you are connected" : held ? "Will be sent after the one before" : "Sending …";
    const actions = { retry: (it) => this.outbox.retry(it), edit: this.actions.edit };
    return { key: entry.message_id, version: `pending:${entry.state}:${words}`, build: () => pendingMessage(entry, words, actions) };
  }

  welcome() {
    const build = () => {
      const mark = document.querySelector(".mark").cloneNode(true);
      const buttons = SUGGESTIONS.map((text) => h("li", {}, h("button", { type: "button", text, on: { click: () => this.actions.send(text) } })));
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
    if (conversation?.loaded && conversation.hasMore && (await conversation.older())) this.scroll.reach();
  }

  /** Shows the message at a position, loading what is before it where needed. */
  async goTo(position) {
    const { conversation } = this;
    const reached = () => conversation.messages.some((message) => message.position <= position);
    while (!reached() && (await conversation.older({ all: true })));
    const message = conversation.messages.find((candidate) => candidate.position >= position);
    const node = message && [...this.box.children].find((child) => child.dataset.key === message.id);
    if (node) this.scroll.show(node);
  }
}

const fingerprints = new WeakMap();

/** A number that changes with a message's text; FNV-1a, made once for each message received. */
function fingerprint(message) {
  if (!fingerprints.has(message)) {
    let hash = 0x811c9dc5;
    for (let place = 0; place < message.text.length; place += 1) hash = Math.imul(hash ^ message.text.charCodeAt(place), 0x01000193);
    fingerprints.set(message, hash);
  }
  return fingerprints.get(message);
}

function skeleton() {
  const lines = Array.from({ length: 6 }, () => h("div", { class: "skeleton" }));
  return { key: "loading", version: "", build: () => h("div", { class: "loading", role: "img", "aria-label": "Loading the chat" }, ...lines) };
}

function unanswered(last) {
  if (last.role === "user") return "This message has no answer.";
  return ["interrupted", "failed"].includes(last.status) ? explainRun(last.status) : "";
}
