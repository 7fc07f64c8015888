import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { gaugeOf } from "../../sessions_app/static/sessions_app/js/gauge.js";
import { groupsOf, isAwaited } from "../../sessions_app/static/sessions_app/js/parts.js";
import { Run } from "../../sessions_app/static/sessions_app/js/run.js";
import { Refused } from "../../sessions_app/static/sessions_app/js/socket.js";
import { explainCompaction, whyNot } from "../../sessions_app/static/sessions_app/js/summaries.js";
import { answersOf, lastOf } from "../../sessions_app/static/sessions_app/js/versions.js";
import { CONFLICT } from "../../sessions_app/static/sessions_app/js/words.js";
import { open } from "./chat.js";
import { CHAT, id, message, opened, RUN, startTheClock, stopTheClock } from "./server.js";

beforeEach(stopTheClock);
afterEach(startTheClock);

/** @param {number} position @param {Partial<Page.Message>} [more] */
const summary = (position, more) =>
  message(position, { role: "user", kind: "summary", model: "loopback", text: "What was said.", ...more });
const CALL = { id: "c", name: "calculate", arguments: "{}" };
const STEP = message(1, { text: "", tool_calls: [CALL] });
const RESULT = message(2, { role: "tool", tool_call_id: "c" });

/**
 * @param {"turn.began" | "turn.ended"} name
 * @param {Partial<Api.TurnShape>} [more]
 * @returns {Api.FactNotification["event"]}
 */
const turn = (name, more) => ({
  type: "CUSTOM",
  name,
  value: {
    session_id: CHAT,
    run_id: RUN,
    status: "running",
    message_id: id(2),
    error: null,
    kind: "compaction",
    ...more,
  },
});

test("a summary stands by itself, one amid an answer before it", () => {
  const [asked, amid, answer, after] = [message(0), summary(3), message(5), summary(6)];
  assert.deepEqual(groupsOf([asked, STEP, RESULT, amid, answer, after]), [
    [asked],
    [amid],
    [STEP, RESULT, answer],
    [after],
  ]);
  assert.deepEqual(groupsOf([asked, STEP, RESULT, amid]), [[asked], [STEP, RESULT], [amid]]);
});

test("an answer is one whatever stands in it", () => {
  const line = [message(0), STEP, RESULT, summary(3), message(5), summary(6)];
  assert.deepEqual([...answersOf(line, false).keys()], [id(5)]);
  assert.equal(lastOf(line, id(1))?.id, id(5));
});

test("an answer is awaited after a question, and amid its steps", () => {
  assert.deepEqual(
    [[message(0)], [message(0), summary(1)], [message(0), STEP, RESULT], [message(0), message(1)]].map(isAwaited),
    [true, true, true, false],
  );
});

test("a run says while it makes a summary, also where it is met in the midst", () => {
  const run = new Run({ run_id: RUN });
  run.take(1, { type: "RUN_STARTED", threadId: CHAT, runId: RUN });
  run.take(2, { type: "STEP_STARTED", stepName: "compaction" });
  assert.equal(run.compacting, true);
  assert.equal(new Run({ run_id: RUN, message_id: id(1), text: "", seq: 2 }).compacting, true);
  assert.equal(new Run({ run_id: RUN, message_id: id(1), text: "One", seq: 2 }).compacting, false);
  run.take(3, { type: "STEP_FINISHED", stepName: "compaction" });
  assert.equal(run.compacting, false);
});

test("a summary that was made is shown and told once", async () => {
  const { server, chat, said } = await open(opened({ messages: [message(0), message(1)] }));
  server.fact(1, turn("turn.began"));
  assert.equal(chat.summarises, true);
  server.run(1, { type: "RUN_STARTED", threadId: CHAT, runId: RUN });
  server.run(2, { type: "STEP_STARTED", stepName: "compaction" });
  server.fact(2, { type: "CUSTOM", name: "message.created", value: summary(2) });
  server.fact(3, turn("turn.ended", { status: "complete" }));
  assert.deepEqual([chat.run, chat.summary?.id, chat.unsummarised], [null, id(2), null]);
  assert.deepEqual(said, ["Summarising the earlier part of this chat …", "Earlier messages were summarised"]);
  assert.equal(chat.unanswered, null);
});

test("a summary that failed leaves the last question without an error", async () => {
  const { server, chat, said } = await open(opened({ messages: [message(0), message(1)] }));
  const error = { code: "provider", text: "It failed." };
  server.fact(1, turn("turn.began"));
  server.fact(2, turn("turn.ended", { status: "failed", error }));
  assert.deepEqual([chat.unsummarised, chat.messages[0]?.error], [error, undefined]);
  assert.deepEqual(said, ["The chat could not be summarised."]);
  server.fact(3, turn("turn.began", { run_id: id(9) }));
  assert.equal(chat.unsummarised, null);
});

test("what cannot be summarised is known, as far as it can be", () => {
  const chat = (/** @type {Page.Message[]} */ ...messages) => whyNot({ messages, hasNewer: false });
  assert.match(chat(), /Nothing was said in this chat/);
  assert.match(chat(message(0), message(1), summary(2)), /since the last summary/);
  assert.match(chat(message(0), message(1), summary(2, { model: null })), /since the last summary/);
  assert.equal(chat(message(0), message(1), summary(2, { text: "" })), "");
  assert.equal(chat(message(0), summary(1)), "");
  assert.equal(chat(message(0), message(1), summary(2), message(4)), "");
});

test("what is in the way of a summary is said in the server's words", () => {
  const error = new Refused({ code: CONFLICT, message: "An answer is on its way.", data: { revision: 1 } });
  assert.equal(explainCompaction(error), "An answer is on its way. The chat is as it was.");
});

test("a window is told of once it becomes scarce", () => {
  const words = (/** @type {number | null} */ tokens, /** @type {number | null} */ limit) =>
    gaugeOf({ tokens, limit }).words;
  assert.deepEqual([words(null, 1_000), words(900, null), words(599, 1_000)], ["", "", ""]);
  assert.match(words(650, 1_000), /^65\u00a0% of the model/);
  assert.deepEqual(
    [gaugeOf({ tokens: 650, limit: 1_000 }).isNearEnd, gaugeOf({ tokens: 720, limit: 1_000 }).isNearEnd],
    [false, true],
  );
  assert.match(words(1_200, 1_000), /^100\u00a0%/);
});
