// The conversation on the screen.

import { announce } from "./announce.js";
import { $, h, reconcile } from "./dom.js";
import { assistantMessage, note, pendingMessage, toolMessage, userMessage } from "./message.js";
import { StreamView } from "./stream.js";
import { canContinue, explainError, explainFinish, mayHelpAgain } from "./words.js";

const SUGGESTIONS = [
  "Calculate 12*(3+4)",
  "Show me a table",
  "Write a short Python example",
  "Search my chats for table",
];

export class Thread {
  /** `actions`: {send(text), edit(entry), startOver(text)}; what the page does about a suggestion, a retry, an edit. */
  constructor({ markdown, outbox, socket, scroll, actions }) {
    Object.assign(this, { markdown, outbox, socket, scroll, actions });
    this.box = $("thread");
    this.conversation = null;
    this.stream = null; // the view of the newest run: {id, view}
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
    if (run && !run.over && run.id === this.stream?.id) this.scroll.still(() => this.stream.view.show(run));
  }

  items() {
    const pending = this.pending().map((entry) => this.pendingItem(entry));
    if (!this.conversation) return pending.length ? pending : [this.welcome()];
    if (!this.conversation.loaded) return [skeleton(), ...pending];
    const items = [...this.olderItems(), ...this.messageItems(pending.length), ...pending];
    return items.length ? items : [this.welcome()];
  }

  olderItems() {
    const { hasMore, tryingOlder } = this.conversation;
    if (!hasMore) return [];
    if (!tryingOlder.troubled)
      return [{ key: "older", version: "", build: () => h("p", { class: "older", text: "Loading older messages …" }) }];
    const words = "Older messages could not be loaded. It is being tried again.";
    return [
      { key: "older", version: "troubled", build: () => note("wait", words, ["Try now", () => tryingOlder.now()]) },
    ];
  }

  /** The messages, each with its note under it; the running answer comes last. */
  messageItems(pending) {
    const { messages, run, queued } = this.conversation;
    const idle = !run && !queued.length && !pending;
    const results = new Map(
      messages.filter((message) => message.tool_call_id).map((message) => [message.tool_call_id, message]),
    );
    const called = new Set(messages.flatMap((message) => (message.tool_calls ?? []).map((call) => call.id)));
    const items = messages.flatMap((message) => {
      const shown = called.has(message.tool_call_id) ? [] : [this.messageItem(message, results)];
      return [...shown, ...this.noteItems(message.id, this.noteOf(message), idle && message === messages.at(-1))];
    });
    return run && !run.over ? [...items, this.runItem(run)] : items;
  }

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

  runItem(run) {
    const build = () => {
      this.stream = { id: run.id, view: new StreamView(this.markdown) };
      return this.stream.view.element;
    };
    return { key: `run:${run.id}`, version: "", build };
  }

  /** What stands under a message: why there is no answer ({error}), or no more of it ({finish}). */
  noteOf({ id, role, status, error, finish }) {
    if (error) return { error };
    if (["interrupted", "failed"].includes(status)) return { error: { code: status } };
    if (role === "user") return id === this.conversation.unanswered ? { error: { code: "unanswered" } } : null;
    return finish ? { finish } : null;
  }

  /** The note with what can be done about it; only at the end of the chat anything can. */
  noteItems(place, shown, isEnd) {
    if (!shown) return [];
    const words = shown.error ? explainError(shown.error) : explainFinish(shown.finish);
    const buttons = isEnd ? this.remedies(shown) : [];
    return [
      {
        key: `note:${place}`,
        version: `${words}:${isEnd}`,
        build: () => note(shown.error ? "bad" : "", words, ...buttons),
      },
    ];
  }

  remedies({ error, finish }) {
    if (finish) return canContinue(finish) ? [["Continue", () => this.actions.send("Continue.")]] : [];
    const asked = this.conversation.messages.findLast((message) => message.role === "user");
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

  pendingItem(entry) {
    const held = entry.state === "sending" && this.outbox.holds(entry.session_id);
    const words =
      this.socket.state !== "open"
        ? "Will be sent when you are connected"
        : held
          ? "Will be sent after the one before"
          : "Sending …";
    const actions = { retry: (it) => this.outbox.retry(it), edit: this.actions.edit };
    return {
      key: entry.message_id,
      version: `pending:${entry.state}:${words}`,
      build: () => pendingMessage(entry, words, actions),
    };
  }

  welcome() {
    const build = () => {
      const mark = document.querySelector(".mark").cloneNode(true);
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
    for (let place = 0; place < message.text.length; place += 1)
      hash = Math.imul(hash ^ message.text.charCodeAt(place), 0x01000193);
    fingerprints.set(message, hash);
  }
  return fingerprints.get(message);
}

function skeleton() {
  const lines = Array.from({ length: 6 }, () => h("div", { class: "skeleton" }));
  return {
    key: "loading",
    version: "",
    build: () => h("div", { class: "loading", role: "img", "aria-label": "Loading the chat" }, ...lines),
  };
}
