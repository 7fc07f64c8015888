// One running answer, put together from its events. Plain state, no page.

import { length } from "./dom.js";

export class Run {
  /** From the fact that its turn began, or from what session.open tells of the run that is on. */
  constructor({ run_id, message_id = null, text = "", seq = 0 }) {
    this.id = run_id;
    this.seq = seq;
    this.over = false;
    this.stored = []; // messages of its steps that called tools
    /** In the order of the answer: {kind: "text" | "reasoning" | "tool", id, text, length, done, name?, result?} */
    this.parts = text ? [{ kind: "text", id: message_id, text, length: length(text), done: false }] : [];
  }

  /** Drops what is among the stored messages by now: earlier steps of this run. */
  forget(messages) {
    const stored = new Set(
      messages.flatMap((message) => [message.id, ...(message.tool_calls ?? []).map((call) => call.id)]),
    );
    this.parts = this.parts.slice(this.parts.findLastIndex((part) => stored.has(part.id)) + 1);
    this.stored = [];
  }

  /** Its answer is stored, or there is none: returns the messages of its steps, which stand before it. */
  store() {
    this.over = true;
    return this.stored.splice(0);
  }

  /** Applies one event of this run. Returns false where something before it is missing: then the run is to be fetched. */
  take(seq, event) {
    if (seq <= this.seq) return true;
    // Text that goes on from what is here may stand for several events: a checkpoint of another process brings it.
    if (seq !== this.seq + 1 && !(event.type === "TEXT_MESSAGE_CONTENT" && this.meets(event))) return false;
    if (HANDLERS[event.type]?.(this, event) === false) return false;
    this.seq = seq;
    return true;
  }

  /** Whether text goes on just where it ends here. */
  meets({ messageId, metadata }) {
    return metadata?.offset === (this.part("text", messageId)?.length ?? 0);
  }

  part(kind, id) {
    return this.parts.findLast((part) => part.kind === kind && part.id === id);
  }

  open(kind, id, more = {}) {
    const part = { kind, id, text: "", length: 0, done: false, ...more };
    this.parts.push(part);
    return part;
  }

  grow(kind, id, delta) {
    const part = this.part(kind, id) ?? this.open(kind, id);
    part.text += delta;
    part.length += length(delta);
  }

  end(kind, id) {
    const part = this.part(kind, id);
    if (part) part.done = true;
  }
}

function addText(run, event) {
  if (event.metadata?.offset !== undefined && !run.meets(event)) return false;
  run.grow("text", event.messageId, event.delta);
  return true;
}

const HANDLERS = {
  TEXT_MESSAGE_CONTENT: addText,
  TEXT_MESSAGE_END: (run, event) => void run.end("text", event.messageId),
  REASONING_MESSAGE_CONTENT: (run, event) => void run.grow("reasoning", event.messageId, event.delta),
  REASONING_MESSAGE_END: (run, event) => void run.end("reasoning", event.messageId),
  TOOL_CALL_START: (run, event) => void run.open("tool", event.toolCallId, { name: event.toolCallName }),
  TOOL_CALL_ARGS: (run, event) => void run.grow("tool", event.toolCallId, event.delta),
  TOOL_CALL_RESULT: (run, event) => {
    const part = run.part("tool", event.toolCallId);
    if (part) Object.assign(part, { result: event.content, done: true });
  },
};
