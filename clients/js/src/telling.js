// One run's events, each once and none missing, of what arrives over several connections.
//
// What arrives is run events, numbered, of which some are missed while there is no connection; the answer to
// session.open, which has the text of the message under way up to a number; and messages, once they are stored, each as a
// whole. Whatever of the answer has not been told is told by whichever comes first, as events that the server could have
// sent; what comes later and was told is dropped. So the result is a well-formed AG-UI stream, and its text is the
// answer's.
//
// A step's thoughts have no place in them, so after a gap they are told when the step is stored.

/** @import { Api } from "../api.d.ts" */
/** @typedef {Api.RunNotification["event"]} Event */
/** @typedef {{ text: string, length: number }} Told what was told of a text, and its characters as the server counts them */

/** What has been told of a run. Each method yields the events that are to be told now. */
export class Telling {
  /**
   * @param {string} sessionId
   * @param {string} runId
   */
  constructor(sessionId, runId) {
    this.over = false;
    this.run = { threadId: sessionId, runId };
    this.seq = 0;
    this.started = false;
    /** @type {Map<string, Told>} */
    this.texts = new Map();
    /** @type {Map<string, string>} of each call its arguments so far */
    this.calls = new Map();
    /** @type {Map<string, Event>} by id what has begun and not ended: the event that ends it */
    this.open = new Map();
    /** @type {Set<string>} */
    this.results = new Set();
    this.thought = ""; // of the step under way
    this.hasGap = false; // since the step under way began
  }

  /**
   * Whether something before an event is missing: then the session is to be opened again.
   * @param {number | null} seq
   * @param {Event} event
   */
  lacks(seq, event) {
    if (this.over || seq === null || seq <= this.seq + 1) return false;
    // Text that goes on from what is here may stand for several events.
    return event.type !== "TEXT_MESSAGE_CONTENT" || event.metadata.offset !== this.told(event.messageId).length;
  }

  /**
   * Tells an event that came by itself and lacks nothing.
   * @param {number | null} seq
   * @param {Event} event
   * @returns {Generator<Event>}
   */
  *take(seq, event) {
    if (this.over || (seq !== null && seq <= this.seq)) return;
    if (seq !== null) {
      this.hasGap ||= seq > this.seq + 1;
      this.seq = seq;
    }
    if (event.type === "RUN_FINISHED" || event.type === "RUN_ERROR") yield* this.finish(event);
    else if (event.type === "TEXT_MESSAGE_CONTENT") yield* this.delta(event);
    else if (this.isNew(event)) {
      yield* this.start();
      yield this.note(event);
    }
  }

  /**
   * Tells what `session.open` says of this run, which goes on.
   * @param {Api.RunShape} run
   * @returns {Generator<Event>}
   */
  *resume({ seq, message_id: messageId, text }) {
    if (this.over || seq <= this.seq) return;
    this.hasGap = true;
    this.seq = seq;
    yield* this.start();
    yield* this.text(messageId, text);
  }

  /**
   * Tells what is missing of a message of this run that is stored by now.
   * @param {Api.MessageShape} message
   * @returns {Generator<Event>}
   */
  *store(message) {
    if (this.over) return;
    yield* this.start();
    if (message.role === "tool") {
      yield* this.result(message);
      return;
    }
    if (!message.kind) {
      yield* this.reasoning(message);
      yield* this.text(message.id, message.text);
      yield* this.end(message.id);
      for (const call of message.tool_calls ?? []) yield* this.call(call, message.id);
    }
    this.thought = "";
    this.hasGap = false;
  }

  /**
   * Tells that the turn has ended, of which no event comes any more.
   * @param {Pick<Api.TurnShape, "status" | "error">} turn
   * @returns {Generator<Event>}
   */
  *ended({ status, error }) {
    if (error) yield* this.fail(error.code, error.text);
    else if (status === "complete") yield* this.finish({ type: "RUN_FINISHED", ...this.run });
    else yield* this.cancel();
  }

  /** Tells that the run was stopped, or never began. */
  cancel() {
    return this.finish({ type: "RUN_FINISHED", ...this.run, outcome: { type: "cancelled" } });
  }

  /**
   * Tells that the run has failed, or is lost.
   * @param {string} code
   * @param {string} message
   */
  fail(code, message) {
    return this.finish({ type: "RUN_ERROR", message, code });
  }

  /**
   * @param {Event} event
   * @returns {Generator<Event>}
   */
  *finish(event) {
    if (this.over) return;
    yield* this.start();
    for (const key of [...this.open.keys()]) yield* this.end(key);
    this.over = true;
    yield event;
  }

  /** @returns {Generator<Event>} */
  *start() {
    if (this.started) return;
    this.started = true;
    yield { type: "RUN_STARTED", ...this.run };
  }

  /**
   * @param {Api.TextDelta} event
   * @returns {Generator<Event>}
   */
  *delta({ messageId, delta, metadata: { offset } }) {
    const { text, length } = this.told(messageId);
    if (offset > length) return;
    yield* this.start();
    yield* this.text(messageId, (offset === length ? text : [...text].slice(0, offset).join("")) + delta);
  }

  /**
   * @param {string} messageId
   * @returns {Told}
   */
  told(messageId) {
    return this.texts.get(messageId) ?? { text: "", length: 0 };
  }

  /** @param {Event} event */
  isNew(event) {
    switch (event.type) {
      case "RUN_STARTED": {
        const isNew = !this.started;
        this.started = true;
        return isNew;
      }
      case "TEXT_MESSAGE_START":
        return !this.texts.has(event.messageId);
      case "TOOL_CALL_START":
        return !this.calls.has(event.toolCallId);
      case "TOOL_CALL_RESULT":
        return this.calls.has(event.toolCallId) && !this.results.has(event.toolCallId);
      case "STEP_STARTED":
        return true;
      case "REASONING_START":
      case "REASONING_MESSAGE_START":
        return !this.hasGap;
      default: // a piece of something, or its end
        return this.open.has(keyOf(event));
    }
  }

  /**
   * Takes down what is told by an event.
   * @param {Event} event
   */
  note(event) {
    const key = keyOf(event);
    switch (event.type) {
      case "TEXT_MESSAGE_START":
        this.texts.set(key, { text: "", length: 0 });
        this.open.set(key, { type: "TEXT_MESSAGE_END", messageId: key });
        break;
      case "TEXT_MESSAGE_CONTENT": {
        const { text, length } = this.told(key);
        this.texts.set(key, { text: text + event.delta, length: length + charactersOf(event.delta) });
        break;
      }
      case "TOOL_CALL_START":
        this.calls.set(key, "");
        this.open.set(key, { type: "TOOL_CALL_END", toolCallId: key });
        break;
      case "TOOL_CALL_ARGS":
        this.calls.set(key, (this.calls.get(key) ?? "") + event.delta);
        break;
      case "TOOL_CALL_RESULT":
        this.results.add(key);
        break;
      case "REASONING_START":
        this.open.set(key, { type: "REASONING_END", messageId: event.messageId });
        break;
      case "REASONING_MESSAGE_START":
        this.open.set(key, { type: "REASONING_MESSAGE_END", messageId: event.messageId });
        break;
      case "REASONING_MESSAGE_CONTENT":
        this.thought += event.delta;
        break;
      case "STEP_STARTED":
        this.open.set(key, { type: "STEP_FINISHED", stepName: event.stepName });
        break;
      default:
        this.open.delete(key);
    }
    return event;
  }

  /**
   * @param {string} key
   * @returns {Generator<Event>}
   */
  *end(key) {
    const event = this.open.get(key);
    this.open.delete(key);
    if (event) yield event;
  }

  /**
   * @param {string} messageId
   * @param {string} text
   * @returns {Generator<Event>}
   */
  *text(messageId, text) {
    const { text: told, length: offset } = this.told(messageId);
    if (text.length <= told.length || !text.startsWith(told)) return;
    if (!this.texts.has(messageId)) yield this.note({ type: "TEXT_MESSAGE_START", messageId, role: "assistant" });
    if (!this.open.has(messageId)) return;
    const delta = text.slice(told.length);
    yield this.note({ type: "TEXT_MESSAGE_CONTENT", messageId, delta, metadata: { offset } });
  }

  /**
   * @param {Api.MessageShape} message
   * @returns {Generator<Event>}
   */
  *reasoning({ id, text, reasoning }) {
    for (const [key, { type }] of [...this.open].reverse()) if (type.startsWith("REASONING")) yield* this.end(key);
    const thought = reasoning ?? "";
    // What was told as text may have turned out to be thoughts.
    if (!text.startsWith(this.told(id).text) || !thought.startsWith(this.thought) || thought === this.thought) return;
    const messageId = `${id}-reasoning`;
    yield { type: "REASONING_START", messageId };
    yield { type: "REASONING_MESSAGE_START", messageId, role: "reasoning" };
    yield { type: "REASONING_MESSAGE_CONTENT", messageId, delta: thought.slice(this.thought.length) };
    yield { type: "REASONING_MESSAGE_END", messageId };
    yield { type: "REASONING_END", messageId };
  }

  /**
   * @param {Api.ToolCallShape} call
   * @param {string} parentMessageId
   * @returns {Generator<Event>}
   */
  *call({ id: toolCallId, name: toolCallName, arguments: whole }, parentMessageId) {
    if (!this.calls.has(toolCallId)) {
      yield this.note({ type: "TOOL_CALL_START", toolCallId, toolCallName, parentMessageId });
    }
    const told = this.calls.get(toolCallId) ?? "";
    if (this.open.has(toolCallId) && whole.startsWith(told) && whole !== told) {
      yield this.note({ type: "TOOL_CALL_ARGS", toolCallId, delta: whole.slice(told.length) });
    }
    yield* this.end(toolCallId);
  }

  /**
   * @param {Api.MessageShape} message
   * @returns {Generator<Event>}
   */
  *result({ id: messageId, tool_call_id: toolCallId, text: content }) {
    if (!toolCallId || !this.calls.has(toolCallId) || this.results.has(toolCallId)) return;
    yield this.note({ type: "TOOL_CALL_RESULT", messageId, toolCallId, content, role: "tool" });
  }
}

/**
 * What an event is about.
 * @param {Event} event
 */
function keyOf(event) {
  if (event.type === "REASONING_START" || event.type === "REASONING_END") return `${event.messageId} as a whole`;
  if ("toolCallId" in event) return event.toolCallId;
  if ("messageId" in event) return event.messageId;
  return "stepName" in event ? event.stepName : event.type;
}

/**
 * Characters as the server counts them: code points, not UTF-16 units.
 * @param {string} text
 */
function charactersOf(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
