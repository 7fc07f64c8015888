// The open chat: its messages, its running answer, what waits. State kept true to the server's; the page shows it.
//
// Every session.event of the chat is applied as it comes. While session.open is under way they are kept and applied
// after it: its answer is one moment of the truth, and each event says by `seq` whether it is after that moment.
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
/** A page that is rendered within this time (ms) appears at once as it should look. */
const PATIENCE = 600;

export class Conversation extends EventTarget {
  constructor(socket, markdown, id) {
    super();
    this.socket = socket;
    this.markdown = markdown;
    this.id = id;
    this.messages = [];
    this.hasMore = false;
    this.run = null;
    this.ended = []; // runs before it whose messages are still to be fetched
    this.queued = [];
    this.unanswered = null; // id of the last message, where it got no answer and no turn is at work on it
    this.loaded = false;
    this.trying = new Retry(socket);
    this.tryingOlder = new Retry(socket);
    this.tryingOlder.addEventListener("change", () => this.changed());
    this.fetching = null; // a page of older messages
    this.kept = null;
    this.again = false;
    this.closed = false;
    this.hear = ({ detail }) => detail.session_id === id && this.take(detail);
    socket.addEventListener("event", this.hear);
  }

  close() {
    this.closed = true;
    this.trying.over();
    this.tryingOlder.stop();
    this.socket.removeEventListener("event", this.hear);
    this.socket.call("session.close", { session_id: this.id }).catch(() => {});
  }

  /** Fetches the present state at once, whatever has failed before: the connection is new. */
  reopen() {
    this.trying.over();
    this.refresh();
  }

  /** Fetches the present state: at the start, after a gap, and when a run has ended. */
  async refresh() {
    if (this.trying.pausing) return;
    if (this.kept) {
      this.again = true;
      return;
    }
    this.kept = [];
    try {
      const answer = await this.socket.call("session.open", { session_id: this.id, limit: PAGE });
      await this.prepare(answer.messages);
      if (!this.closed) this.adopt(answer);
    } catch (error) {
      if (!this.closed) this.fail(error);
    } finally {
      const kept = this.kept;
      this.kept = null;
      if (!this.closed) this.replay(kept);
    }
  }

  fail(error) {
    if (isPassing(error)) this.trying.pause(error).then(() => this.refresh());
    else if ([NOT_FOUND, INVALID].includes(error.code)) this.dispatchEvent(new CustomEvent("gone", { detail: error }));
    else if (!(error instanceof Disconnected)) throw error;
  }

  adopt({ session, messages, has_more, run, queued }) {
    this.trying.over();
    this.ended = [];
    this.dispatchEvent(new CustomEvent("session", { detail: session }));
    this.merge(messages, has_more);
    this.queued = queued;
    if (!run) this.run = null;
    else if (this.run?.id !== run.run_id || this.run.seq < run.seq) this.run = new Run(run);
    else this.run.forget(messages);
    const last = messages.at(-1);
    if (this.run) this.run.follows = last?.id;
    this.unanswered = last?.role === "user" && !run && !queued.length ? last.id : null;
    this.loaded = true;
    this.changed();
    this.dispatchEvent(new Event("run"));
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

  /** Lets the server render the answers first, for a moment, so that they do not change shape on the screen. */
  prepare(messages) {
    const texts = messages.filter((message) => message.role === "assistant" && message.text).map((message) => message.text);
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE));
    return Promise.race([Promise.all(texts.map((text) => this.markdown.render(text))), patience]);
  }

  /** Loads a page of older messages; resolves with whether there are more than before. */
  older({ all = false } = {}) {
    if (!this.hasMore) return Promise.resolve(false);
    this.fetching ??= this.fetchOlder(all).finally(() => (this.fetching = null));
    return this.fetching;
  }

  async fetchOlder(all) {
    const params = { session_id: this.id, before: this.messages[0].position, limit: all ? LONG_PAGE : PAGE };
    try {
      const answer = await this.tryingOlder.until(() => this.socket.call("session.messages", params));
      if (!all) await this.prepare(answer.messages);
      if (params.before !== this.messages[0]?.position) return false;
      this.messages = [...answer.messages, ...this.messages];
      this.hasMore = answer.has_more;
      this.changed();
      return true;
    } catch (error) {
      if (error instanceof Refused || error instanceof Disconnected) return false;
      throw error;
    }
  }

  take(notice) {
    if (this.kept) {
      this.kept.push(notice);
      return;
    }
    const { run_id: runId, seq, event } = notice;
    if (event.type === "CUSTOM") this.takeFact(event);
    else if (event.type === "RUN_STARTED") this.start(notice);
    else if (this.run?.id !== runId) this.refresh(); // its beginning was missed, or it ended before it was opened
    else if (isEnd(event)) this.end(event);
    else if (!this.run.take(seq, event)) this.refresh();
    else this.dispatchEvent(new Event("run"));
  }

  /** After session.open: what belongs to runs that have ended meanwhile is stored already. */
  replay(kept) {
    const ended = new Set(kept.filter(({ event }) => isEnd(event)).map(({ run_id: id }) => id));
    let again = this.again;
    this.again = false;
    for (const notice of kept) {
      if (notice.run_id !== null && ended.has(notice.run_id) && notice.run_id !== this.run?.id) {
        if (isEnd(notice.event)) this.tell(notice.event, null);
        again = true;
      } else {
        this.take(notice);
      }
    }
    if (again) this.refresh();
  }

  start({ run_id: runId, seq, event }) {
    if (this.run?.id === runId && this.run.seq >= seq) return;
    if (this.run && this.run.id !== runId) this.ended.push(this.run.close());
    this.run = new Run({ run_id: runId, follows: this.messages.at(-1)?.id });
    this.run.take(seq, event);
    this.queued = this.queued.filter((entry) => entry.run_id !== runId);
    this.say("Answer started.");
    this.changed();
    this.dispatchEvent(new Event("run"));
  }

  end(event) {
    this.run.close(event);
    this.tell(event, this.run.answer);
    this.changed();
    this.dispatchEvent(new Event("run"));
    this.refresh();
  }

  /** Says how a run ended; `answer` is its stored message, where it is known. */
  tell(event, answer) {
    if (event.type === "RUN_ERROR") this.say("Answer failed.");
    else if (event.outcome?.type === "cancelled") this.say("Answer stopped.");
    else this.say(explainFinish(answer?.finish) || "Answer finished.");
  }

  takeFact({ name, value }) {
    if (name === "message.created") this.add(value);
    else if (name === "turn.queued") this.queue(value);
    else if (name === "turn.withdrawn") this.unqueue(value.run_id);
    else if (name === "session.deleted") this.dispatchEvent(new CustomEvent("gone", { detail: null }));
  }

  /**
   * A message that is now part of the transcript; what a run has stored is shown by the run until it ends. One that is
   * known already is from session.open, which may know more of it: how its turn has ended.
   */
  add(message) {
    if (message.role !== "user" && this.run) {
      this.run.answer = message;
      return;
    }
    this.queued = this.queued.filter((entry) => entry.message_id !== message.id);
    const known = this.messages.some((other) => other.id === message.id);
    const last = this.messages.at(-1)?.position ?? -1;
    if (!known && this.loaded && message.position > last) this.messages.push(message);
    this.changed();
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

  /** The runs on the screen, oldest first. */
  get runs() {
    return this.run ? [...this.ended, this.run] : this.ended;
  }

  /** The run that still writes, or null. */
  get writing() {
    return this.run && !this.run.over ? this.run : null;
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

const isEnd = (event) => event.type === "RUN_FINISHED" || event.type === "RUN_ERROR";
