// A chat as session.open answers it: its messages, its running answer, what waits.
//
// It is fetched when it is opened, on each new connection, and where something of the running answer or a change by
// another program is missing. The answer is one moment: it says by `cursor` which facts are in it, and by `seq` which
// events of the run.
// Where session.open fails for a passing reason it is tried again (`trying`), and what is shown stays. Only a chat that is
// not found is left.

import { LoadedMessages, PAGE } from "./loaded_messages.js";
import { Markdown } from "./markdown.js";
import { placeOf } from "./pages.js";
import { isAwaited } from "./parts.js";
import { isPassing, Retry } from "./retry.js";
import { Run } from "./run.js";
import { Disconnected, Refused, Socket } from "./socket.js";
import { explainFinish, explainWaiting, INVALID, NOT_FOUND, SUMMARISED } from "./words.js";

/** Lives until `close`. */
export class FetchedChat extends LoadedMessages {
  /** @type {Run | null} */
  run = null;
  /** @type {Api.QueuedShape[]} */
  queued = [];
  /** @type {string | null} */
  unanswered = null; // id of the last message, where it got no answer and no turn is at work on it
  /** @type {Api.ApprovalShape[]} */
  approvals = []; // calls at the end of the chat that wait for a person
  cursor = 0; // of the facts that are in what was fetched
  opened = false;
  loaded = false; // opened, and ready to be shown
  opening = false;
  rewritten = false; // elsewhere: what was fetched before may no longer be so
  left = false; // another line was chosen elsewhere: what is told is of that one
  /** @type {number | undefined} */
  revision = undefined; // of the line that is shown
  overtaken = false; // another line came while session.open was under way, whose answer may be from before
  /** @type {string | undefined} */
  awaited = undefined; // id of the message that was sent from here, until the end of its turn was said
  closed = false;
  /** @type {Api.ErrorShape | null} */
  unsummarised = null; // why the summary was not made that was asked for last

  /** @param {{ socket: Socket, markdown: Markdown, id: string }} parts */
  constructor({ socket, markdown, id }) {
    super({ socket, markdown, id });
    this.trying = new Retry(socket);
    // What has happened at the end meanwhile was not taken: the present state has it.
    this.on("reached", () => this.refresh());
  }

  close() {
    this.closed = true;
    this.trying.over();
    this.tryingOlder.stop();
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
  async adopt({ session, messages, has_more, run, queued, approvals, cursor }) {
    this.trying.over();
    this.cursor = cursor;
    this.revision = session.revision;
    this.queued = queued;
    this.approvals = approvals;
    this.opened = true;
    const running = this.run;
    const wasSummary = this.summarises;
    this.merge(messages, has_more);
    if (!run) this.run = null;
    else if (this.run?.id !== run.run_id || this.run.seq < run.seq) this.run = new Run(run);
    else this.run.forget(messages);
    this.findUnanswered();
    if (!run && !wasSummary) this.sayMissed(running);
    else if (!run) this.say(this.messages.at(-1)?.kind ? SUMMARISED : "The chat was not summarised.");
    this.tell("session", session);
    if (this.rewritten) this.renewOlder(this.hasNewer ? placeOf(this.messages.at(-1)) + 1 : placeOf(messages[0]));
    this.rewritten = false;
    this.left = false;
    await this.prepare(messages);
    this.loaded = true;
    this.changed();
    this.tell("run");
  }

  /** Whether the run at the end makes a summary alone, and no answer. */
  get summarises() {
    return Boolean(this.run && !this.run.over && !this.hasNewer && !isAwaited(this.messages));
  }

  /** The summary that the model is sent, or what ended that: the last one, where the end is here. */
  get summary() {
    return this.hasNewer ? undefined : this.messages.findLast(({ kind }) => kind === "summary");
  }

  /** Resolves when it has its messages, ready to be shown. */
  whenLoaded() {
    return this.until(() => this.loaded);
  }

  findUnanswered() {
    const last = this.hasNewer ? undefined : this.lastSaid;
    this.unanswered = last?.role === "user" && !this.run && !this.queued.length ? last.id : null;
  }

  /** Goes back to the end of the chat; resolves when it is shown. */
  async toLatest() {
    if (!this.hasNewer) return;
    this.returning = true;
    this.refresh();
    await this.until(() => !this.hasNewer);
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
    const last = this.lastSaid;
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
    if (this.approvals.length) this.say(explainWaiting(this.approvals));
    else if (stopped) this.say("Answer stopped.");
    else this.say(error ? "Answer failed." : explainFinish(answer?.finish) || "Answer finished.");
  }
}
