// The open chat, kept true to the server's by the journal; the page shows it.
//
// What happens later than what was fetched comes after it, and is applied as it comes.

import { FetchedChat } from "./fetched_chat.js";
import { Journal } from "./journal.js";
import { Markdown } from "./markdown.js";
import { isLeftWaiting } from "./parts.js";
import { Run } from "./run.js";
import { Socket } from "./socket.js";
import { STOPPED, SUMMARISED, SUMMARISING } from "./words.js";

/** Kept true from the answer to session.open on; lives until `close`. */
export class OpenChat extends FetchedChat {
  /** @param {{ socket: Socket, journal: Journal, markdown: Markdown, id: string }} parts */
  constructor({ socket, journal, markdown, id }) {
    super({ socket, markdown, id });
    /** @type {string | undefined} */
    this.again = undefined; // the run that is to bring an answer in the place of another
    this.stopHearing = journal.on("event", (notice) => notice.session_id === id && this.take(notice));
  }

  /** @override */
  close() {
    super.close();
    this.stopHearing();
  }

  /** @param {Page.Notice} notice */
  take(notice) {
    if (notice.run_id === null) {
      if (notice.cursor > this.cursor) this.takeFact(notice.event);
    } else if (this.run?.id === notice.run_id) {
      if (!this.run.take(notice.seq, notice.event)) this.refresh();
      else this.sayEvent(notice.event);
      this.tell("run");
    }
  }

  /** @param {Page.RunEvent} event */
  sayEvent({ type }) {
    if (type === "RUN_STARTED" && !this.summarises) this.say("Answer started.");
    else if (type === "STEP_STARTED") this.say(SUMMARISING);
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
        if (fact.value.error) this.tell("refused", fact.value);
        break;
      case "turn.began":
        this.start(fact.value);
        break;
      case "turn.ended":
        this.end(fact.value);
        break;
      case "approval.waiting":
        this.ask(fact.value);
        break;
      case "approval.decided":
        this.decided(fact.value);
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
    const { queued, run } = this;
    this.queued = queued.filter((entry) => entry.run_id !== runId);
    if (status === "running" && run?.id !== runId) {
      this.run = new Run({ run_id: runId });
      this.unanswered = null;
      this.unsummarised = null;
      const asked = this.asked();
      if (asked && !this.summarises) asked.error = null;
    }
    this.changed();
    this.tell("run");
  }

  /**
   * A turn has ended; its answer was added before, where it has one. Else the user's message says why.
   * @param {Api.TurnShape} turn
   */
  end({ run_id: runId, status, message_id: answerId, error }) {
    const answer = this.messages.find((message) => message.id === answerId);
    if (answer?.kind || (this.run?.id === runId && this.summarises)) {
      this.endSummary(answer, error);
      return;
    }
    if (this.run?.id === runId) {
      this.insert(...this.run.store());
      this.run = null;
    }
    const asked = this.asked();
    if (!answer && asked) asked.error = error ?? (status === "stopped" ? STOPPED : null);
    if (!answer && error && runId === this.again) this.tell("failed", error);
    this.findUnanswered();
    this.sayEnd(answer, error, status === "stopped");
    this.changed();
    this.tell("run");
  }

  /**
   * A turn has ended that was to make a summary, and no answer. What the summary has cost is told when it is fetched.
   * @param {Page.Message | undefined} summary
   * @param {Api.ErrorShape | null} error
   */
  endSummary(summary, error) {
    this.run = null;
    this.unsummarised = error;
    this.findUnanswered();
    this.say(summary ? SUMMARISED : error ? "The chat could not be summarised." : "Stopped. The chat is as it was.");
    this.changed();
    this.tell("run");
    if (summary) this.refresh();
  }

  /**
   * A message that is now part of the transcript. Steps of the running answer are shown by it until it is stored.
   * @param {Page.Message} message
   */
  add(message) {
    this.queued = this.queued.filter((entry) => entry.message_id !== message.id);
    if (!this.opened || this.messages.some((other) => other.id === message.id)) return;
    if (this.run && (message.role === "tool" || (message.tool_calls && !isLeftWaiting(message)))) {
      this.run.stored.push(message);
      this.tell("run");
      return;
    }
    this.insert(...(this.run && message.role === "assistant" ? this.run.store() : []), message);
    this.changed();
  }

  /** @param {Api.ApprovalShape} approval of a call that waits for a person from now on */
  ask(approval) {
    const { approvals } = this;
    this.approvals = [...approvals.filter(({ id }) => id !== approval.id), approval];
    this.mark(approval.tool_call_id, { approval: "waiting" });
  }

  /**
   * A person has decided, here or elsewhere.
   * @param {Pick<Api.ApprovalShape, "id" | "tool_call_id" | "decision" | "note" | "always">} approval
   */
  decided({ id, tool_call_id: callId, decision: approval, note, always }) {
    this.approvals = this.approvals.filter((other) => other.id !== id);
    this.mark(callId, { approval, ...(note && { note }), ...(always && { always }) });
  }

  /**
   * @param {string} callId
   * @param {Partial<Api.ToolCallShape>} said
   */
  mark(callId, said) {
    for (const { tool_calls: calls } of [...this.messages, ...(this.run?.stored ?? [])]) {
      const call = calls?.find(({ id }) => id === callId);
      if (call) Object.assign(call, said);
    }
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
}
