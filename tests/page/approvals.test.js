// Calls of tools that wait for a person: how they are told, decided, and marked in the list of chats.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { argumentRows, inFull, visible } from "../../sessions_app/static/sessions_app/js/approval_words.js";
import { isAwaited, partsOf, runningParts } from "../../sessions_app/static/sessions_app/js/parts.js";
import { Run } from "../../sessions_app/static/sessions_app/js/run.js";
import { explainWaiting } from "../../sessions_app/static/sessions_app/js/words.js";
import { open } from "./chat.js";
import { CHAT, id, message, opened, Refusal, RUN, settled, startTheClock, stopTheClock } from "./server.js";

beforeEach(stopTheClock);
afterEach(startTheClock);

const NEXT = id(8);
const CALL = { id: "a", name: "mail_send", arguments: '{"to":"Ada"}' };
/** @type {Api.ApprovalShape} */
const WAITING = {
  id: id(7),
  session_id: CHAT,
  run_id: RUN,
  tool_call_id: "a",
  tool: "mail_send",
  arguments: '{"to":"Ada"}',
  decision: null,
};
const ASKS = message(1, { text: "", tool_calls: [{ ...CALL, approval: "waiting" }] });

/**
 * @param {"approval.waiting" | "approval.decided"} name
 * @param {Partial<Api.ApprovalShape>} [more]
 * @returns {Api.FactNotification["event"]}
 */
const told = (name, more) => ({ type: "CUSTOM", name, value: { ...WAITING, ...more } });

/**
 * @param {"turn.began" | "turn.ended"} name
 * @param {Partial<Api.TurnShape>} more
 * @returns {Api.FactNotification["event"]}
 */
const turn = (name, more) => ({
  type: "CUSTOM",
  name,
  value: { session_id: CHAT, run_id: RUN, status: "running", message_id: id(1), error: null, kind: "message", ...more },
});

test("arguments are told by their names", () => {
  const args = '{"to": ["Ada"], "subject": "Hello\\nyou", "copies": 2, "urgent": true}';
  assert.deepEqual(argumentRows(args), [
    ["to", '[\n  "Ada"\n]'],
    ["subject", "Hello\nyou"],
    ["copies", "2"],
    ["urgent", "true"],
  ]);
  for (const other of ["[1]", "null", "no JSON", ""]) assert.deepEqual(argumentRows(other), [["", other]]);
});

test("the call in full is laid out only where that loses nothing", () => {
  assert.equal(inFull('{"a": [1, "x y"]}'), '{\n  "a": [\n    1,\n    "x y"\n  ]\n}');
  for (const odd of ['{"to": "Ada", "to": "Eve"}', '{"n": 12345678901234567890}', '{"n": 1e400}', '{"a"'])
    assert.equal(inFull(odd), odd);
});

test("signs that turn text round or are not seen are made visible", () => {
  assert.equal(visible("a\u202eb\u200bc\u0000\n\t"), "a\\u{202e}b\\u{200b}c\\u{0}\n\t");
  assert.equal(visible("نامه\u200cای"), "نامه\u200cای");
});

test("one call is named, several are counted", () => {
  assert.equal(explainWaiting([WAITING]), "Your decision is needed: the answer wants to use mail send.");
  assert.equal(explainWaiting([WAITING, WAITING]), "Your decision is needed: the answer wants to use 2 tools.");
});

test("an answer that ends with a question says so, and waits", async () => {
  const { server, chat, said } = await open(opened({ messages: [message(0)] }));
  server.fact(1, turn("turn.began", {}));
  server.fact(2, { type: "CUSTOM", name: "message.created", value: ASKS });
  server.fact(3, told("approval.waiting"));
  server.fact(4, turn("turn.ended", { status: "complete" }));
  assert.deepEqual([chat.approvals, chat.run], [[WAITING], null]);
  assert.deepEqual(chat.messages.map(({ id }) => id), [id(0), id(1)]); // biome-ignore format: one row
  assert.equal(said.at(-1), explainWaiting([WAITING]));
});

test("a decision goes on with the answer at once", async () => {
  const { server, chat } = await open(opened({ messages: [message(0), ASKS], approvals: [WAITING] }));
  server.on("turn.resume", () => ({ run_id: NEXT }));
  assert.equal(isAwaited(chat.messages), false);
  await chat.resume([{ approval_id: id(7), approve: true }]);
  assert.deepEqual(server.asked("turn.resume"), [
    { session_id: CHAT, decisions: [{ approval_id: id(7), approve: true }] },
  ]);
  assert.deepEqual([chat.approvals, chat.run?.id, chat.summarises], [[], NEXT, false]);
  const [part] = runningParts(chat.messages.slice(1), []);
  assert.deepEqual([part?.approval, part?.done], ["approved", false]);
});

test("a decision that comes too late changes nothing here", async () => {
  const { server, chat } = await open(opened({ messages: [message(0), ASKS], approvals: [WAITING] }));
  server.on("turn.resume", () => {
    throw new Refusal(-32004, { approvals: [] });
  });
  await assert.rejects(chat.resume([{ approval_id: id(7), approve: false }]));
  assert.deepEqual([chat.approvals, chat.run], [[WAITING], null]);
});

test("what another window has decided is told", async () => {
  const { server, chat } = await open(opened({ messages: [message(0), ASKS], approvals: [WAITING] }));
  server.fact(1, told("approval.decided", { decision: "refused", note: "Not now." }));
  server.fact(2, turn("turn.began", { run_id: NEXT }));
  await settled();
  assert.deepEqual([chat.approvals, chat.run?.id], [[], NEXT]);
  const [call] = chat.messages[1]?.tool_calls ?? [];
  assert.deepEqual([call?.approval, call?.note], ["refused", "Not now."]);
});

test("another version of the chat has what waits there, and nothing else", async () => {
  const { server, chat } = await open(opened({ messages: [message(0), ASKS], approvals: [WAITING] }));
  const other = message(2, { text: "Done." });
  const session = { ...opened().session, revision: 9 };
  server.on("branch.select", () => ({ session, messages: [message(0), other], has_more: false }));
  await chat.select(id(2));
  assert.deepEqual(chat.approvals, []);
  server.on("branch.select", () => ({ session, messages: [message(0), ASKS], has_more: false }));
  await chat.select(id(1));
  await settled();
  assert.deepEqual(chat.approvals, [WAITING]);
});

test("a call waits for a person at the end of the chat only", () => {
  const standings = [partsOf([ASKS], true), partsOf([ASKS])].map(([part]) => part?.approval);
  assert.deepEqual(standings, ["waiting", undefined]);
});

test("how far a call is is shown until it has its result", () => {
  const run = new Run({ run_id: RUN });
  const value = { toolCallId: "a", progress: 1, total: 4, message: "one" };
  run.take(1, { type: "CUSTOM", name: "tool.progress", value });
  const result = message(2, { role: "tool", text: "Sent.", tool_call_id: "a" });
  const stored = message(1, { text: "", tool_calls: [CALL] });
  const shown = [runningParts([stored], [], run.progress), runningParts([stored, result], [], run.progress)];
  assert.deepEqual(shown.map(([part]) => part?.progress?.progress), [1, undefined]); // biome-ignore format: one row
});
