import assert from "node:assert/strict";
import { test } from "node:test";
import { Run } from "../../sessions_app/static/sessions_app/js/run.js";
import { message, RUN } from "./server.js";

const begun = () => new Run({ run_id: RUN });

/**
 * @param {string} delta
 * @param {number} offset
 * @param {string} messageId
 * @returns {Page.RunEvent}
 */
const text = (delta, offset, messageId = "m") => ({
  type: "TEXT_MESSAGE_CONTENT",
  messageId,
  delta,
  metadata: { offset },
});

/** @type {Page.RunEvent} */
const started = { type: "RUN_STARTED", threadId: "t", runId: RUN };

test("a call that was under way when the run was opened goes on", () => {
  const progress = { toolCallId: "c", progress: 1, total: 100, message: null };
  const call = { id: "c", name: "count", arguments: '{"to":', progress };
  const run = new Run({ run_id: RUN, message_id: "m", text: "Well", seq: 6, calls: [call] });
  run.take(7, { type: "TOOL_CALL_ARGS", toolCallId: "c", delta: "100}" });
  assert.deepEqual(
    run.parts.map(({ kind, name, text, done }) => [kind, name, text, done]),
    [
      ["text", undefined, "Well", false],
      ["tool", "count", '{"to":100}', false],
    ],
  );
  assert.equal(run.progress.get("c")?.progress, 1);
});

test("text grows by what comes", () => {
  const run = begun();
  assert.ok(run.take(1, started));
  assert.ok(run.take(2, text("One", 0)));
  assert.ok(run.take(3, text(" two", 3)));
  assert.deepEqual(
    run.parts.map((part) => part.text),
    ["One two"],
  );
});

test("an event that comes twice is taken once", () => {
  const run = begun();
  run.take(1, text("One", 0));
  assert.ok(run.take(1, text("One", 0)));
  assert.equal(run.parts[0]?.text, "One");
});

test("an event after a gap is not taken", () => {
  const run = begun();
  run.take(1, started);
  assert.equal(run.take(3, { type: "TOOL_CALL_START", toolCallId: "c", toolCallName: "calculate" }), false);
  assert.deepEqual([run.seq, run.parts], [1, []]);
});

test("text that goes on where it ends here is taken over a gap", () => {
  const run = begun();
  run.take(1, text("One", 0));
  assert.ok(run.take(9, text(" two", 3)));
  assert.deepEqual([run.seq, run.parts[0]?.text], [9, "One two"]);
});

test("text that does not go on where it ends here is not taken", () => {
  const run = begun();
  run.take(1, text("One", 0));
  assert.equal(run.take(2, text("two", 4)), false);
  assert.deepEqual([run.seq, run.parts[0]?.text], [1, "One"]);
});

test("places in a text are counted in code points", () => {
  const run = begun();
  run.take(1, text("👋🏽", 0));
  assert.ok(run.take(2, text("!", 2)));
});

test("the text so far is gone on from", () => {
  const run = new Run({ run_id: RUN, message_id: "m", text: "So far", seq: 5 });
  assert.ok(run.take(6, text(", so good", 6)));
  assert.equal(run.parts[0]?.text, "So far, so good");
});

test("thoughts, calls and text stand in the order they began", () => {
  const run = begun();
  run.take(1, { type: "REASONING_MESSAGE_CONTENT", messageId: "r", delta: "Hm" });
  run.take(2, { type: "REASONING_MESSAGE_END", messageId: "r" });
  run.take(3, { type: "TOOL_CALL_START", toolCallId: "c", toolCallName: "calculate" });
  run.take(4, text("Well", 0));
  assert.deepEqual(
    run.parts.map(({ kind, done }) => [kind, done]),
    [["reasoning", true], ["tool", false], ["text", false]], // biome-ignore format: one row
  );
});

test("a call has its arguments, and is done with its result", () => {
  const run = begun();
  run.take(1, { type: "TOOL_CALL_START", toolCallId: "c", toolCallName: "calculate" });
  run.take(2, { type: "TOOL_CALL_ARGS", toolCallId: "c", delta: '{"expression":' });
  run.take(3, { type: "TOOL_CALL_ARGS", toolCallId: "c", delta: '"6*7"}' });
  run.take(4, { type: "TOOL_CALL_RESULT", toolCallId: "c", messageId: "m", content: "42" });
  const [part] = run.parts;
  assert.deepEqual(
    [part?.name, part?.text, part?.result, part?.done],
    ["calculate", '{"expression":"6*7"}', "42", true],
  );
});

test("the result of a call that is not shown changes nothing", () => {
  const run = begun();
  assert.ok(run.take(1, { type: "TOOL_CALL_RESULT", toolCallId: "c", messageId: "m", content: "42" }));
  assert.deepEqual(run.parts, []);
});

test("an end without a number changes nothing", () => {
  const run = begun();
  run.take(1, started);
  assert.ok(run.take(null, { type: "RUN_ERROR", message: "It stopped.", code: "interrupted" }));
  assert.equal(run.seq, 1);
});

test("steps that are stored are dropped with all before them", () => {
  const run = begun();
  run.take(1, text("First", 0, "step"));
  run.take(2, { type: "TOOL_CALL_START", toolCallId: "c", toolCallName: "calculate" });
  run.take(3, text("Last", 0, "answer"));
  run.forget([message(1, { id: "step", tool_calls: [{ id: "c", name: "calculate", arguments: "{}" }] })]);
  assert.deepEqual(
    run.parts.map((part) => part.id),
    ["answer"],
  );
});

test("a run that is stored is over and hands its steps on once", () => {
  const run = begun();
  run.stored.push(message(1));
  assert.deepEqual(run.store(), [message(1)]);
  assert.deepEqual([run.over, run.store()], [true, []]);
});
