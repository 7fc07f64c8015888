import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { connect, pass, Refusal, RUN, session, settled, startTheClock, stopTheClock } from "./server.js";

beforeEach(stopTheClock);
afterEach(startTheClock);

/** @type {Api.FactNotification["event"]} */
const updated = { type: "CUSTOM", name: "session.updated", value: session() };

/** @param {number} cursor */
const fact = (cursor, event = updated) => ({ session_id: session().id, run_id: null, seq: null, cursor, event });

/** A page whose list of chats reflects all facts up to `cursor`, and what its journal tells. */
async function page(cursor = 4) {
  const { server, journal } = await connect();
  /** @type {(number | string)[]} */
  const told = [];
  journal.on("event", (notice) => told.push("cursor" in notice ? notice.cursor : notice.event.type));
  journal.on("reset", () => told.push("reset"));
  journal.on("current", () => told.push("current"));
  journal.reflects(cursor);
  return { server, journal, told };
}

test("each fact is told once, in order", async () => {
  const { server, told } = await page();
  for (const cursor of [5, 5, 6, 4]) server.fact(cursor, updated);
  assert.deepEqual(told, [5, 6]);
});

test("a gap is filled by asking for what is missing", async () => {
  const { server, told } = await page();
  const answer = { events: [fact(5), fact(6), fact(7)], cursor: 7, has_more: false, reset: false };
  server.on("events.since", () => answer);
  server.fact(7, updated);
  await settled();
  assert.deepEqual(server.asked("events.since"), [{ cursor: 4, limit: 200 }]);
  assert.deepEqual(told, [5, 6, 7]);
});

test("what is missing is asked for page by page", async () => {
  const { server, told } = await page();
  server.on("events.since", ({ cursor }) => ({
    events: [fact(cursor + 1)],
    cursor: cursor + 1,
    has_more: cursor < 6,
    reset: false,
  }));
  server.fact(7, updated);
  await settled();
  assert.deepEqual(told, [5, 6, 7]);
});

test("facts that come while it asks are left to the answer", async () => {
  const { server, told } = await page();
  for (const cursor of [7, 8, 5]) server.fact(cursor, updated);
  await settled();
  assert.deepEqual([told, server.requests.length], [[], 1]);
});

test("a new connection asks for what was missed, then says so", async () => {
  const { server, told } = await page();
  server.on("events.since", () => ({ events: [fact(5)], cursor: 5, has_more: false, reset: false }));
  server.close();
  await pass(1_000);
  server.open();
  await settled();
  assert.deepEqual(told, [5, "current"]);
});

test("the first connection has everything fetched", async () => {
  const { server, journal } = await connect();
  /** @type {string[]} */
  const told = [];
  journal.on("reset", () => told.push("reset"));
  journal.on("current", () => told.push("current"));
  server.close();
  await pass(1_000);
  server.open();
  assert.deepEqual(told, ["reset", "current"]);
});

test("facts too old to be told have everything fetched", async () => {
  const { server, journal, told } = await page();
  server.on("events.since", () => ({ events: [], cursor: 90, has_more: false, reset: true }));
  server.fact(9, updated);
  await settled();
  assert.deepEqual(told, ["reset", "current"]);
  assert.equal(journal.cursor, 90);
});

test("a refused question has everything fetched", async () => {
  const { server, journal, told } = await page();
  server.on("events.since", () => {
    throw new Refusal(-32603);
  });
  server.fact(9, updated);
  await settled();
  assert.deepEqual(told, ["reset", "current"]);
  assert.equal(journal.cursor, null);
});

test("a question whose connection is lost is asked again", async () => {
  const { server, told } = await page();
  for (let losses = 0; losses < 2; losses += 1) {
    server.close();
    await pass(20_000);
    server.open();
  }
  server.close();
  server.on("events.since", () => ({ events: [fact(5), fact(6)], cursor: 6, has_more: false, reset: false }));
  await pass(20_000);
  server.open();
  await settled();
  assert.deepEqual(told, [5, 6, "current"]);
});

test("a fact about what is gone by now is passed over", async () => {
  const { server, told } = await page();
  server.fact(5, { ...updated, value: null });
  server.fact(6, updated);
  assert.deepEqual(told, [6]);
});

test("events of a run are told as they come", async () => {
  const { server, told } = await page();
  server.run(1, { type: "RUN_STARTED", threadId: session().id, runId: RUN });
  assert.deepEqual(told, ["RUN_STARTED"]);
});
