import assert from "node:assert/strict";
import { test } from "node:test";
import { Disconnected, Refused } from "../../sessions_app/static/sessions_app/js/socket.js";
import { length } from "../../sessions_app/static/sessions_app/js/text.js";
import * as words from "../../sessions_app/static/sessions_app/js/words.js";

/**
 * @param {number} code
 * @param {import("../../sessions_app/static/sessions_app/js/socket.js").ErrorData} [data]
 */
const refused = (code, data) => new Refused({ code, message: "At most 20 turns a minute.", ...(data && { data }) });

test("an error says what to do about it", () => {
  const sentence = "This is too long: at most 2,000 characters are allowed. Shorten it.";
  const { TOO_LARGE: code } = words;
  assert.equal(words.explain(new Refused({ code, message: sentence, data: { limit: 2_000 } })), sentence);
  assert.equal(
    words.explain(refused(words.TOO_MANY, { retry_after: 1 })),
    "At most 20 turns a minute. Wait 1 second and try again.",
  );
  assert.equal(words.explain(refused(words.NOT_FOUND)), words.GONE);
});

test("a lost connection is no fault of the server", () => {
  assert.match(words.explain(new Disconnected()), /^The connection was lost/);
});

test("what is used up is not to be waited for", () => {
  const error = refused(words.TOO_MANY, { quota: "text" });
  assert.equal(words.isUsedUp(error), true);
  assert.equal(words.explain(error), "At most 20 turns a minute.");
});

test("a turn's error is a sentence, in the server's words where it has some", () => {
  assert.equal(words.explainError({ code: "timeout", text: "It was silent" }), "It was silent. Your message is kept.");
  assert.match(words.explainError({ code: "interrupted" }), /stopped in the middle/);
  assert.match(words.explainError({ code: "what comes later" }), /broke off/);
});

test("a text that is too long for the model is not sent again", () => {
  assert.equal(words.mayHelpAgain({ code: "context" }), false);
  assert.equal(words.mayHelpAgain({ code: "timeout" }), true);
});

test("only a whole answer needs no words", () => {
  assert.equal(Boolean(words.explainFinish(null)), false);
  const finishes = /** @type {const} */ ([
    ["length", /length limit/, true],
    ["pause", /paused this answer/, true],
    ["content_filter", /provider's filter/, false],
    ["refusal", /declined to go on/, false],
    ["context", /filled the model's window/, false],
  ]);
  for (const [finish, said, goesOn] of finishes) {
    assert.match(words.explainFinish(finish) ?? "", said);
    assert.equal(words.canContinue(finish), goesOn);
  }
});

test("a share is all only where it is", () => {
  assert.equal(words.share(999, 1_000), "99\u00a0%");
  assert.equal(words.share(7, 7), "100\u00a0%");
});

test("money is told to the cent, and by two digits below", () => {
  assert.deepEqual([12.3, 0.0012, 0].map(words.dollars), ["$12.30", "$0.0012", "$0.00"]);
});

test("a time of waiting is rounded up", () => {
  assert.deepEqual([1, 1.2, 119, 120, 121].map(words.duration), [
    "1 second",
    "2 seconds",
    "119 seconds",
    "2 minutes",
    "3 minutes",
  ]);
});

test("chats stand under the day of their last activity", () => {
  const midnight = new Date().setHours(0, 0, 0, 0);
  /** @param {number} days */
  const before = (days) => words.period(new Date(midnight - days * 86_400_000).toISOString());
  assert.deepEqual([0, 1, 7, 30, 31].map(before), [
    "Today",
    "Yesterday",
    "Last seven days",
    "Last thirty days",
    "Older",
  ]);
});

test("characters are counted as code points", () => {
  assert.deepEqual(["", "abc", "é", "👋🏽"].map(length), [0, 3, 1, 2]);
});

test("a budget that is used up says when it resets, by the reader's clock", () => {
  const resets_at = "2026-11-29T00:00:00Z";
  const error = new Refused({
    code: words.TOO_MANY,
    message: "Your budget is used up (Personal, tokens per day: 9 of 9 used). It resets on 2026-11-29 at 00:00 UTC.",
    data: { budget: "Personal, tokens per day", resets_at, retry_after: 7_200 },
  });
  assert.equal(words.isUsedUp(error), true);
  assert.match(words.explain(error), /^Your budget is used up \(.*\)\. It resets on \d+ Nov at \d\d?:\d\d.*\.$/);
  error.data.retry_after = 10;
  assert.equal(words.isUsedUp(error), false);
  assert.match(words.explain(error), /Wait 10 seconds and try again/);
});
