// The open chat: its messages, its running answer, what waits. State kept true to the server's; the page shows it.
//
// It is fetched when it is opened, on each new connection, and where something of the running answer or a change by
// another program is missing. The answer is one moment: it says by `cursor` which facts are in it, and by `seq` which
// events of the run. All that happens later comes after it, and is applied as it comes.
// Where session.open fails for a passing reason it is tried again (`trying`), and what is shown stays. Only a chat that is
// not found is left.

import { Journal } from "./journal.js";
import { LoadedMessages, PAGE } from "./loaded_messages.js";
import { Markdown } from "./markdown.js";
import { placeOf } from "./pages.js";
import { isPassing, Retry } from "./retry.js";
import { Run } from "./run.js";
import { Disconnected, Refused, Socket } from "./socket.js";
import { explainFinish, INVALID, NOT_FOUND, STOPPED } from "./words.js";

/** Kept true by the journal from the answer to session.open on; lives until `close`. */
export class OpenChat extends LoadedMessages {
  /** @param {{ socket: Socket, journal: Journal, markdown: Markdown, id: string }} parts */
  constructor({ socket, journal, markdown, id }) {
    super({ socket, markdown, id });
    /** @type {Run | null} */
    this.run = null;
    /** @type {Api.QueuedShape[]} */
    this.queued = [];
    /** @type {string | null} */
    this.unanswered = null; // id of the last message, where it got no answer and no turn is at work on it
    this.cursor = 0; // of the facts that are in what was fetched
    this.opened = false;
    this.loaded = false; // opened, and ready to be shown
    this.trying = new Retry(socket);
    this.opening = false;
    this.rewritten = false; // elsewhere: what was fetched before may no longer be so
    this.left = false; // another line was chosen elsewhere: what is told is of that one
    /** @type {number | undefined} */
    this.revision = undefined; // of the line that is shown
    /** @type {string | undefined} */
    this.again = undefined; // the run that is to bring an answer in the place of another
    this.overtaken = false; // another line came while session.open was under way, whose answer may be from before
    /** @type {string | undefined} */
    this.awaited = undefined; // id of the message that was sent from here, until the end of its turn was said
    this.closed = false;
    // What has happened at the end meanwhile was not taken: the present state has it.
    this.on("reached", () => this.refresh());
    this.stopHearing = journal.on("event", (notice) => notice.session_id === id && this.take(notice));
  }

  close() {
    this.closed = true;
    this.trying.over();
    this.tryingOlder.stop();
    this.stopHearing();
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
      const { overtaken } = this;
      this.overtaken = false;
      if (this.closed) return;
      if (overtaken) this.refresh();
      else this.adopt(answer);
    } catch (error) {
      if (!this.closed) this.fail(error);
    }
  }

  /** @param {unknown} error */
  fail(error) {
    if (isPassing(error)) this.trying.pause(error).then(() => this.refresh());
    else if (error instanceof Refused && [NOT_FOUND, INVALID].includes(error.code)) this.tell("gone", error);
    else if (!(error instanceof Disconnected)) throw error;
  }

  /**
   * Takes the state over at once; it is shown when its answers are rendered.
   * @param {Api.OpenResult} answer
   */
  async adopt({ session, messages, has_more, run, queued, cursor }) {
    this.trying.over();
    this.cursor = cursor;
    this.revision = session.revision;
    this.queued = queued;
    this.opened = true;
    const running = this.run;
    this.merge(messages, has_more);
    if (!run) this.run = null;
    else if (this.run?.id !== run.run_id || this.run.seq < run.seq) this.run = new Run(run);
    else this.run.forget(messages);
    this.findUnanswered();
    if (!run) this.sayMissed(running);
    this.tell("session", session);
    if (this.rewritten) this.renewOlder(this.hasNewer ? placeOf(this.messages.at(-1)) + 1 : placeOf(messages[0]));
    this.rewritten = false;
    this.left = false;
    await this.prepare(messages);
    this.loaded = true;
    this.changed();
    this.tell("run");
  }

  /** Resolves when it has its messages, ready to be shown. */
  whenLoaded() {
    return this.until(() => this.loaded);
  }

  findUnanswered() {
    const last = this.hasNewer ? undefined : this.messages.at(-1);
    this.unanswered = last?.role === "user" && !this.run && !this.queued.length ? last.id : null;
  }

  /** Goes back to the end of the chat; resolves when it is shown. */
  async toLatest() {
    if (!this.hasNewer) return;
    this.returning = true;
    this.refresh();
    await this.until(() => !this.hasNewer);
  }

  /** @param {Page.Notice} notice */
  take(notice) {
    if (notice.run_id === null) {
      if (notice.cursor > this.cursor) this.takeFact(notice.event);
    } else if (this.run?.id === notice.run_id) {
      if (!this.run.take(notice.seq, notice.event)) this.refresh();
      else if (notice.event.type === "RUN_STARTED") this.say("Answer started.");
      this.tell("run");
    }
  }

  /** @param {Page.Fact} fact */
  takeFact(fact) {
    if (fact.name === "session.deleted") this.tell("gone", null);
    else if (this.opened && !this.left) this.change(fact); // else the answer to session.open will have it
  }

  /** @param {Page.Fact} fact */
  change(fact) {
    switch (fact.name) {
      case "message.created":
        this.add(fact.value);
        break;
      case "turn.queued":
        this.queue(fact.value);
        break;
      case "turn.withdrawn":
        this.unqueue(fact.value.run_id);
        break;
      case "turn.began":
        this.start(fact.value);
        break;
      case "turn.ended":
        this.end(fact.value);
        break;
      case "message.updated":
        this.update(fact.value);
        break;
      case "branch.selected":
        if (fact.value.revision > (this.revision ?? 0)) this.follow();
        break;
      case "transcript.changed":
        this.renew();
    }
  }

  /**
   * A turn has begun, just after its message was added; one that has ended by now is told so at once. What was wrong
   * with an earlier answer to that message is no longer so.
   * @param {Pick<Api.TurnShape, "run_id" | "status">} turn
   */
  start({ run_id: runId, status }) {
    this.queued = this.queued.filter((entry) => entry.run_id !== runId);
    if (status === "running" && this.run?.id !== runId) {
      this.run = new Run({ run_id: runId });
      this.unanswered = null;
      const asked = this.asked();
      if (asked) asked.error = null;
    }
    this.changed();
    this.tell("run");
  }

  /**
   * A turn has ended; its answer was added before, where it has one. Else the user's message says why.
   * @param {Api.TurnShape} turn
   */
  end({ run_id: runId, status, message_id: answerId, error }) {
    if (this.run?.id === runId) {
      this.insert(...this.run.store());
      this.run = null;
    }
    const answer = this.messages.find((message) => message.id === answerId);
    const asked = this.asked();
    if (!answer && asked) asked.error = error ?? (status === "stopped" ? STOPPED : null);
    if (!answer && error && runId === this.again) this.tell("failed", error);
    this.findUnanswered();
    this.sayEnd(answer, error, status === "stopped");
    this.changed();
    this.tell("run");
  }

  /**
   * A message that is now part of the transcript. Steps of the running answer are shown by it until it is stored.
   * @param {Page.Message} message
   */
  add(message) {
    this.queued = this.queued.filter((entry) => entry.message_id !== message.id);
    if (!this.opened || this.messages.some((other) => other.id === message.id)) return;
    if (this.run && (message.role === "tool" || message.tool_calls)) {
      this.run.stored.push(message);
      this.tell("run");
      return;
    }
    this.insert(...(this.run && message.role === "assistant" ? this.run.store() : []), message);
    this.changed();
  }

  /** @param {Api.QueuedShape} entry */
  queue(entry) {
    const known = this.queued.some((other) => other.run_id === entry.run_id);
    const begun = this.run?.id === entry.run_id || this.messages.some((message) => message.id === entry.message_id);
    if (!known && !begun) this.queued.push(entry);
    this.changed();
  }

  /** @param {string} runId */
  unqueue(runId) {
    this.queued = this.queued.filter((entry) => entry.run_id !== runId);
    this.changed();
  }

  /** Another line was chosen elsewhere: nothing is added to this one, and that one is fetched. */
  follow() {
    this.left = true;
    this.say("Another version of this chat is shown.");
    this.renew();
  }

  /** What is shown may no longer be so: older pages are fetched again too. */
  renew() {
    this.rewritten = true;
    this.refresh();
  }

  /**
   * A turn ended before this chat was fetched: the fact is not told once more, and whoever waits for it is told here.
   * @param {Run | null} running what was running when the chat was fetched before
   */
  sayMissed(running) {
    const asked = this.asked();
    if (!asked || this.queued.length || (!running && asked.id !== this.awaited)) return;
    const last = this.messages.at(-1);
    const answer = last === asked ? undefined : last;
    this.sayEnd(answer, (answer ?? asked).error, answer?.status === "stopped");
  }

  /**
   * @param {Page.Message | undefined} answer
   * @param {Api.ErrorShape | null | undefined} error
   * @param {boolean} stopped
   */
  sayEnd(answer, error, stopped) {
    this.awaited = undefined;
    if (stopped) this.say("Answer stopped.");
    else this.say(error ? "Answer failed." : explainFinish(answer?.finish) || "Answer finished.");
  }
}
