import assert from "node:assert/strict";
import { test } from "node:test";
import { answersOf, lastOf, versionsOf, versionWords } from "../../sessions_app/static/sessions_app/js/versions.js";
import { id, message } from "./server.js";

const CALL = { id: "c", name: "calculate", arguments: "{}" };

/** Asked and answered twice; the first answer called a tool, and has a version before it. */
const LINE = [
  message(0),
  message(1, { tool_calls: [CALL], alternatives: [id(91)], place: 2 }),
  message(2, { role: "tool", tool_call_id: "c" }),
  message(3),
  message(4),
  message(5),
];

test("a message that stands alone has no versions", () => {
  assert.equal(versionsOf(message(0)), null);
});

test("versions are those beside a message and itself, oldest first", () => {
  const beside = message(2, { alternatives: [id(91), id(92), id(93)], place: 3 });
  const versions = { ids: [id(91), id(92), id(2), id(93)], at: 2 };
  assert.deepEqual(versionsOf(beside), versions);
  assert.equal(versionWords(versions), "Version 3 of 4");
});

test("an answer has the versions of its first step, at its last one", () => {
  const answers = answersOf(LINE, false);
  assert.deepEqual([...answers.keys()], [id(3), id(5)]);
  assert.deepEqual([answers.get(id(3)), answers.get(id(5))], [{ ids: [id(91), id(1)], at: 1 }, null]);
});

test("an answer that is being written is none yet", () => {
  assert.deepEqual([...answersOf(LINE.slice(0, 3), true).keys()], []);
  assert.deepEqual([...answersOf(LINE.slice(0, 5), true).keys()], [id(3)]);
});

test("an answer that ends with a tool's result ends with its call", () => {
  assert.deepEqual([...answersOf(LINE.slice(0, 3), false).keys()], [id(1)]);
});

test("what begins with a message ends before the next that is said", () => {
  assert.deepEqual([lastOf(LINE, id(1))?.id, lastOf(LINE, id(4))?.id, lastOf(LINE, id(5))?.id], [id(3), id(4), id(5)]);
});

test("an answer whose first step stands alone has the versions of its results", () => {
  const alone = message(1, { tool_calls: [CALL] });
  const result = message(2, { role: "tool", tool_call_id: "c", alternatives: [id(92)] });
  assert.deepEqual(answersOf([message(0), alone, result, message(3)], false).get(id(3)), {
    ids: [id(2), id(92)],
    at: 0,
  });
});
