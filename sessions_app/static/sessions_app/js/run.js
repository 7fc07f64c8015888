// One running answer, put together from its events. Plain state, no page.

import { length } from "./text.js";

/** AG-UI's name of the step in which a summary is made. */
const COMPACTION = "compaction";
/** How far a run has come whose first step is that: RUN_STARTED and STEP_STARTED. No other has told of nothing then. */
const COMPACTION_SEQ = 2;

export class Run {
  /**
   * From the fact that its turn began, or from what session.open tells of the run that is on.
   * @param {Pick<Api.RunShape, "run_id"> & Partial<Api.RunShape>} run
   */
  constructor({ run_id, message_id, text, seq = 0, calls = [] }) {
    this.id = run_id;
    this.seq = seq;
    this.over = false;
    this.compacting = seq === COMPACTION_SEQ && !text; // a summary is being made
    /** @type {Page.Message[]} */
    this.stored = []; // messages of its steps that called tools
    /** @type {Page.Part[]} */
    this.parts = [];
    /** @type {Map<string, Page.Progress>} */
    this.progress = new Map(); // how far calls are, by their ids
    /** @type {WeakMap<Page.Part, number>} */
    this.begun = new WeakMap(); // in milliseconds
    if (message_id && text) this.grow("text", message_id, text);
    for (const call of calls) this.join(call);
  }

  /**
   * A call that was under way when the run was opened.
   * @param {Api.RunningCallShape} call
   */
  join({ id, name, arguments: given, progress }) {
    this.open("tool", id).name = name;
    this.grow("tool", id, given);
    if (progress) this.progress.set(id, progress);
  }

  /**
   * Drops what is among the stored messages by now: earlier steps of this run.
   * @param {Page.Message[]} messages
   */
  forget(messages) {
    const stored = new Set(
      messages.flatMap(({ id, tool_calls }) => [id, ...(tool_calls ?? []).map((call) => call.id)]),
    );
    this.parts = this.parts.slice(this.parts.findLastIndex((part) => stored.has(part.id)) + 1);
    this.stored = [];
  }

  /** Its answer is stored, or there is none: returns the messages of its steps, which stand before it. */
  store() {
    this.over = true;
    return this.stored.splice(0);
  }

  /**
   * Applies one event of this run. Returns false where something before it is missing: then the run is to be fetched.
   * @param {number | null} seq null for the end of a run whose owner died, which its fact tells as well
   * @param {Page.RunEvent} event
   */
  take(seq, event) {
    if (seq === null || seq <= this.seq) return true;
    // Text that goes on from what is here may stand for several events: a checkpoint of another process brings it.
    const fits = event.type === "TEXT_MESSAGE_CONTENT" ? this.meets(event) : seq === this.seq + 1;
    if (!fits) return false;
    this.apply(event);
    this.seq = seq;
    return true;
  }

  /**
   * Whether text goes on just where it ends here.
   * @param {Api.TextDelta} event
   */
  meets({ messageId, metadata }) {
    return metadata.offset === (this.part("text", messageId)?.length ?? 0);
  }

  /** @param {Page.RunEvent} event */
  apply(event) {
    switch (event.type) {
      case "TEXT_MESSAGE_CONTENT":
        this.grow("text", event.messageId, event.delta);
        break;
      case "TEXT_MESSAGE_END":
        this.end("text", event.messageId);
        break;
      case "REASONING_MESSAGE_CONTENT":
        this.grow("reasoning", event.messageId, event.delta);
        break;
      case "REASONING_MESSAGE_END":
        this.endThought(event.messageId);
        break;
      case "TOOL_CALL_START":
        this.open("tool", event.toolCallId).name = event.toolCallName;
        break;
      case "TOOL_CALL_ARGS":
        this.grow("tool", event.toolCallId, event.delta);
        break;
      case "TOOL_CALL_RESULT":
        this.end("tool", event.toolCallId, { result: event.content });
        break;
      case "CUSTOM":
        this.progress.set(event.value.toolCallId, event.value);
        break;
      case "STEP_STARTED":
        this.compacting = event.stepName === COMPACTION;
        break;
      case "STEP_FINISHED":
        this.compacting = false;
    }
  }

  /**
   * @param {Page.Part["kind"]} kind
   * @param {string} id
   */
  part(kind, id) {
    return this.parts.findLast((part) => part.kind === kind && part.id === id);
  }

  /**
   * @param {Page.Part["kind"]} kind
   * @param {string} id
   */
  open(kind, id) {
    /** @type {Page.Part} */
    const part = { kind, id, text: "", length: 0, done: false };
    this.begun.set(part, Date.now());
    this.parts.push(part);
    return part;
  }

  /**
   * @param {Page.Part["kind"]} kind
   * @param {string} id
   * @param {string} delta
   */
  grow(kind, id, delta) {
    const part = this.part(kind, id) ?? this.open(kind, id);
    part.text += delta;
    part.length += length(delta);
  }

  /**
   * @param {Page.Part["kind"]} kind
   * @param {string} id
   * @param {Pick<Page.Part, "result" | "seconds">} [more]
   */
  end(kind, id, more) {
    const part = this.part(kind, id);
    if (part) Object.assign(part, more, { done: true });
  }

  /** @param {string} id */
  endThought(id) {
    const part = this.part("reasoning", id);
    if (part) this.end("reasoning", id, { seconds: Math.round((Date.now() - (this.begun.get(part) ?? 0)) / 1000) });
  }
}
