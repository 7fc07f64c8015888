import assert from "node:assert/strict";
import { test } from "node:test";
import {
  blocksOf,
  groupsOf,
  isAwaited,
  isLeftWaiting,
  partsOf,
  runningParts,
} from "../../sessions_app/static/sessions_app/js/parts.js";
import { id, message } from "./server.js";

/** @param {string} name @returns {Api.ToolCallShape} */
const call = (name) => ({ id: name, name: "calculator", arguments: "{}" });
const ASKED = message(0);
const FIRST = message(1, { text: "", reasoning: "Hm.", tool_calls: [call("a"), call("b")] });
const RESULT = message(2, { role: "tool", tool_call_id: "a", text: "42" });
const SECOND = message(3, { reasoning: "So.", text: "It is 42." });
const ANSWER = [FIRST, RESULT, SECOND];

test("an answer is all between two messages of a user", () => {
  const next = message(4, { role: "user" });
  assert.deepEqual(groupsOf([ASKED, ...ANSWER, next, message(5)]), [[ASKED], ANSWER, [next], [message(5)]]);
  assert.deepEqual(groupsOf(ANSWER), [ANSWER]);
  assert.deepEqual(groupsOf([]), []);
});

test("a call has the result that answers it", () => {
  const parts = partsOf(ANSWER);
  assert.deepEqual(
    parts.map(({ kind, id: of, result }) => [kind, of, result]),
    [
      ["reasoning", id(1), undefined],
      ["tool", "a", "42"],
      ["tool", "b", undefined],
      ["reasoning", id(3), undefined],
      ["text", id(3), undefined],
    ],
  );
});

test("a result whose call is on another page stands by itself", () => {
  assert.deepEqual(
    partsOf([RESULT]).map(({ kind, name, result }) => [kind, name, result]),
    [["tool", "tool", "42"]],
  );
});

test("steps that follow each other make one block", () => {
  const blocks = blocksOf(partsOf(ANSWER), id(0));
  assert.deepEqual(
    blocks.map(({ key, steps }) => [key, steps?.map((step) => step.key)]),
    [
      [`steps:${id(0)}:1`, [`${id(0)}:1`, "a", "b", `${id(0)}:2`]],
      [`text:${id(3)}`, undefined],
    ],
  );
});

test("steps keep their keys when they are stored", () => {
  const [reasoning, ...others] = partsOf(ANSWER);
  assert.ok(reasoning);
  const running = blocksOf([{ ...reasoning, id: "another" }, ...others], id(0));
  assert.deepEqual(
    running.map(({ key }) => key),
    blocksOf(partsOf(ANSWER), id(0)).map(({ key }) => key),
  );
});

test("of a running answer the steps that were not seen come first", () => {
  const seen = partsOf([SECOND]);
  const stored = partsOf([FIRST, RESULT]).map((part) => (part.id === "b" ? { ...part, done: false } : part));
  assert.deepEqual(runningParts([FIRST, RESULT], seen), [...stored, ...seen]);
});

test("steps that were seen being made are not shown twice", () => {
  const seen = partsOf([FIRST, RESULT]).map((part) => (part.kind === "reasoning" ? { ...part, id: "another" } : part));
  assert.deepEqual(runningParts([FIRST, RESULT], seen), seen);
});

test("a call whose beginning was not seen is shown once it is stored", () => {
  /** @type {Page.Part} */
  const begunBefore = { kind: "tool", id: "a", text: "}", length: 1, done: false };
  const other = partsOf([SECOND]);
  assert.deepEqual(runningParts([], [begunBefore, ...other]), other);
  const [shown, ...rest] = runningParts([FIRST], [{ ...begunBefore, result: "42", done: true }, ...other]);
  assert.deepEqual([shown?.name, shown?.text, shown?.result], ["calculator", "{}", "42"]);
  assert.deepEqual(rest, other);
});

test("a call that is left to a program waits at the end of the chat only", () => {
  const left = message(1, { text: "", tool_calls: [{ ...call("a"), client: true, waits: true }] });
  assert.equal(isLeftWaiting(left), true);
  assert.equal(isAwaited([ASKED, left]), false);
  const others = [{ ...left, tool_calls: [{ ...call("a"), client: true }] }];
  assert.deepEqual(
    [partsOf([left], true), partsOf([left]), partsOf(others, true), partsOf([left, RESULT], true)].map(
      ([part]) => part?.left ?? part?.result,
    ),
    ["waits", "unanswered", "unanswered", "42"],
  );
});
