import assert from "node:assert/strict";
import { test } from "node:test";
import { proposalItems } from "../../sessions_app/static/sessions_app/js/proposals.js";
import { message } from "./server.js";

const ACTIONS = /** @type {Page.Actions} */ ({});

/** @param {string} args @param {Partial<Page.Message>} [more] */
const answer = (args, more) => [
  message(1, { tool_calls: [{ id: "a", name: "remember", arguments: args }] }),
  message(2, { role: "tool", tool_call_id: "a", proposal: "open", ...more }),
  message(3),
];

/** @param {Page.Message[]} group */
const shown = (group) => proposalItems(group, ACTIONS).map(({ key, version }) => [key, version]);

test("a proposal is asked until it is decided, and what is saved is said", () => {
  const [, result] = answer("");
  const key = `proposal:${result?.id}`;
  assert.deepEqual(shown(answer('{"text": "Is called Ada."}')), [[key, "open"]]);
  assert.deepEqual(shown(answer('{"text": "Is called Ada."}', { proposal: "saved" })), [[key, "saved"]]);
  assert.deepEqual(shown(answer('{"text": "Is called Ada."}', { proposal: "refused" })), []);
});

test("what proposes nothing that can be read is not asked", () => {
  for (const args of ["", "{", "null", "[]", '{"text": 5}', '{"text": " "}']) assert.deepEqual(shown(answer(args)), []);
  assert.deepEqual(shown([message(1), message(3)]), []);
});
