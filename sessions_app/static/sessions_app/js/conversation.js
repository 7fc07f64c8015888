// The open chat: its messages, its running answer, what waits. State kept true to the server's; the page shows it.
//
// It is fetched when it is opened, on each new connection, and where something of the running answer or a change by
// another program is missing. The answer is one moment: it says by `cursor` which facts are in it, and by `seq` which
// events of the run. All that happens later comes after it, and is applied as it comes.
// Where session.open fails for a passing reason it is tried again (`trying`), and what is shown stays; so it is with older
// pages (`tryingOlder`). Only a chat that is not found is left.
// Events: "change" (messages, queue), "run" (the running answer grew), "session" (as session.open tells it),
// "said" (a sentence for everybody), "gone" (the chat is no longer there).

import { isPassing, Retry } from "./retry.js";
import { Run } from "./run.js";
import { Disconnected, Refused } from "./socket.js";
import { explainFinish, INVALID, NOT_FOUND } from "./words.js";

const PAGE = 50;
const LONG_PAGE = 200;

export class Conversation extends EventTarget {
  constructor({ socket, journal, markdown, id }) {
    super();
    Object.assign(this, { socket, journal, markdown, id });
    this.messages = [];
    this.hasMore = false;
    this.run = null;
    this.queued = [];
    this.unanswered = null; // id of the last message, where it got no answer and no turn is at work on it
    this.cursor = 0; // of the facts that are in what was fetched
    this.opened = false;
    this.loaded = false; // opened, and ready to be shown
    this.trying = new Retry(socket);
    this.tryingOlder = new Retry(socket);
    this.tryingOlder.addEventListener("change", () => this.changed());
    this.fetching = null; // a page of older messages
    this.opening = false;
    this.rewritten = false; // by another program: what was fetched before may no longer be so
    this.closed = false;
    this.hear = ({ detail }) => detail.session_id === id && this.take(detail);
    journal.addEventListener("event", this.hear);
  }

  close() {
    this.closed = true;
    this.trying.over();
    this.tryingOlder.stop();
    this.journal.removeEventListener("event", this.hear);
    this.socket.call("session.close", { session_id: this.id }).catch(() => {});
  }

  /** Fetches the present state at once, whatever has failed before: the connection is new. */
  reopen() {
    this.trying.over();
    this.refresh();
  }

  /** Fetches the present state, unless that is under way: then its answer will have all that is known by now. */
  async refresh() {
    if (this.trying.pausing || this.opening) return;
    this.opening = true;
    const asked = this.socket.call("session.open", { session_id: this.id, limit: PAGE });
    try {
      const answer = await asked.finally(() => (this.opening = false));
      if (!this.closed) this.adopt(answer);
    } catch (error) {
      if (!this.closed) this.fail(error);
    }
  }

  fail(error) {
    if (isPassing(error)) this.trying.pause(error).then(() => this.refresh());
    else if ([NOT_FOUND, INVALID].includes(error.code)) this.dispatchEvent(new CustomEvent("gone", { detail: error }));
    else if (!(error instanceof Disconnected)) throw error;
  }

  /** Takes the state over at once; it is shown when its answers are rendered. */
  async adopt({ session, messages, has_more, run, queued, cursor }) {
    this.trying.over();
    Object.assign(this, { cursor, queued, opened: true });
    this.merge(messages, has_more);
    if (!run) this.run = null;
    else if (this.run?.id !== run.run_id || this.run.seq < run.seq) this.run = new Run(run);
    else this.run.forget(messages);
    this.findUnanswered();
    this.dispatchEvent(new CustomEvent("session", { detail: session }));
    if (this.rewritten) this.renewOlder(messages[0]?.position ?? Infinity);
    this.rewritten = false;
    await this.prepare(messages);
    this.loaded = true;
    this.changed();
    this.dispatchEvent(new Event("run"));
  }

  findUnanswered() {
    const last = this.messages.at(-1);
    this.unanswered = last?.role === "user" && !this.run && !this.queued.length ? last.id : null;
  }

  /** The last page replaces what it covers; older pages stay where both meet, else they are loaded again on scroll. */
  merge(latest, hasMore) {
    const first = latest[0]?.position ?? Infinity;
    const known = new Set(this.messages.map((message) => message.id));
    const meets = latest.some((message) => known.has(message.id));
    const older = meets ? this.messages.filter((message) => message.position < first) : [];
    this.messages = [...older, ...latest];
    if (!older.length) this.hasMore = hasMore;
  }

  /** Lets the server render the answers first, so that they do not change shape on the screen. */
  prepare(messages) {
    return this.markdown.prepare(
      messages.filter((message) => message.role === "assistant").map((message) => message.text),
    );
  }

  /** Loads a page of older messages; resolves with whether there are more than before. */
  older({ all = false } = {}) {
    if (!this.hasMore) return Promise.resolve(false);
    this.fetching ??= this.fetchOlder(all).finally(() => (this.fetching = null));
    return this.fetching;
  }

  async fetchOlder(all) {
    const before = this.messages[0].position;
    const page = await this.pageBefore(before, all ? LONG_PAGE : PAGE);
    if (page && !all) await this.prepare(page.messages);
    if (!page || before !== this.messages[0]?.position) return false;
    this.messages = [...page.messages, ...this.messages];
    this.hasMore = page.has_more;
    this.changed();
    return true;
  }

  /** Resolves with a page of the messages before a position, or null where it can not be had any more. */
  async pageBefore(before, limit) {
    const params = { session_id: this.id, before, limit };
    try {
      return await this.tryingOlder.until(() => this.socket.call("session.messages", params));
    } catch (error) {
      if (error instanceof Refused || error instanceof Disconnected) return null;
      throw error;
    }
  }

  /** Fetches again what is shown of the messages before a position: a program has changed the chat. */
  async renewOlder(before) {
    while (this.messages.length && this.messages[0].position < before) {
      const page = await this.pageBefore(before, LONG_PAGE);
      if (!page) return;
      const first = page.has_more ? page.messages[0].position : -Infinity;
      const older = this.messages.filter((message) => message.position < first);
      const newer = this.messages.filter((message) => message.position >= before);
      this.messages = [...older, ...page.messages, ...newer];
      if (!older.length) this.hasMore = page.has_more;
      before = first;
      this.changed();
    }
  }

  take({ run_id: runId, seq, event, cursor }) {
    if (runId === null) {
      if (cursor > this.cursor) this.takeFact(event);
    } else if (this.run?.id === runId) {
      if (!this.run.take(seq, event)) this.refresh();
      else if (event.type === "RUN_STARTED") this.say("Answer started.");
      this.dispatchEvent(new Event("run"));
    }
  }

  takeFact({ name, value }) {
    if (name === "session.deleted") this.dispatchEvent(new CustomEvent("gone", { detail: null }));
    else if (!this.opened)
      return; // the answer to session.open will have it
    else if (name === "message.created") this.add(value);
    else if (name === "turn.queued") this.queue(value);
    else if (name === "turn.withdrawn") this.unqueue(value.run_id);
    else if (name === "turn.began") this.start(value);
    else if (name === "turn.ended") this.end(value);
    else if (name === "transcript.changed") {
      this.rewritten = true;
      this.refresh();
    }
  }

  /** A turn has begun, just after its message was added; one that has ended by now is told so at once. */
  start({ run_id: runId, status }) {
    this.queued = this.queued.filter((entry) => entry.run_id !== runId);
    if (status === "running" && this.run?.id !== runId) {
      this.run = new Run({ run_id: runId });
      this.unanswered = null;
    }
    this.changed();
    this.dispatchEvent(new Event("run"));
  }

  /** A turn has ended; its answer was added before, where it has one. Else the user's message says why. */
  end({ run_id: runId, status, message_id: answerId, error }) {
    if (this.run?.id === runId) {
      this.insert(...this.run.store());
      this.run = null;
    }
    const answer = this.messages.find((message) => message.id === answerId);
    const asked = this.messages.findLast((message) => message.role === "user");
    if (!answer && asked) asked.error = error;
    this.findUnanswered();
    if (status === "stopped") this.say("Answer stopped.");
    else this.say(error ? "Answer failed." : explainFinish(answer?.finish) || "Answer finished.");
    this.changed();
    this.dispatchEvent(new Event("run"));
  }

  /** A message that is now part of the transcript. Steps of the running answer are shown by it until it is stored. */
  add(message) {
    this.queued = this.queued.filter((entry) => entry.message_id !== message.id);
    if (!this.opened || this.messages.some((other) => other.id === message.id)) return;
    if (this.run && (message.role === "tool" || message.tool_calls)) {
      this.run.stored.push(message);
      return;
    }
    this.insert(...(this.run && message.role === "assistant" ? this.run.store() : []), message);
    this.changed();
  }

  /** By position: what was missed may come when this page has said something already. */
  insert(...messages) {
    this.messages = [...this.messages, ...messages].sort((a, b) => a.position - b.position);
  }

  queue(entry) {
    const known = this.queued.some((other) => other.run_id === entry.run_id);
    const begun = this.run?.id === entry.run_id || this.messages.some((message) => message.id === entry.message_id);
    if (!known && !begun) this.queued.push(entry);
    this.changed();
  }

  unqueue(runId) {
    this.queued = this.queued.filter((entry) => entry.run_id !== runId);
    this.changed();
  }

  /** Stops the running answer, or withdraws the queued one named. */
  stop(runId = this.run?.id) {
    return this.socket.call("turn.stop", { session_id: this.id, run_id: runId });
  }

  say(text) {
    this.dispatchEvent(new CustomEvent("said", { detail: text }));
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}
