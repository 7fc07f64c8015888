// One running answer, put together from its events. Plain state, no page.

import { length } from "./dom.js";

export class Run {
  /** From RUN_STARTED, or from what session.open tells of the run that is on. */
  constructor({ run_id, message_id = null, text = "", seq = 0, follows }) {
    this.id = run_id;
    this.seq = seq;
    this.follows = follows; // id of the message that it comes after
    this.over = false;
    this.error = null; // {code, text} where it failed
    this.answer = null; // the last message that it has stored
    /** In the order of the answer: {kind: "text" | "reasoning" | "tool", id, text, length, done, name?, result?} */
    this.parts = text ? [{ kind: "text", id: message_id, text, length: length(text), done: false }] : [];
  }

  /** Drops what is among the stored messages by now: earlier steps of this run. */
  forget(messages) {
    const stored = new Set(messages.flatMap((message) => [message.id, ...(message.tool_calls ?? []).map((call) => call.id)]));
    this.parts = this.parts.filter((part) => !stored.has(part.id));
  }

  /** It has ended: with this event, or nobody has heard how. */
  close(event) {
    this.over = true;
    if (event?.type === "RUN_ERROR") this.error = { code: event.code, text: event.message };
    return this;
  }

  /** Applies one event of this run. Returns false where something before it is missing: then the run is to be fetched. */
  take(seq, event) {
    if (seq <= this.seq) return true;
    if (seq !== this.seq + 1 || HANDLERS[event.type]?.(this, event) === false) return false;
    this.seq = seq;
    return true;
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
  const place = event.metadata?.offset;
  const known = run.part("text", event.messageId)?.length ?? 0;
  if (place !== undefined && place !== known) return false;
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
