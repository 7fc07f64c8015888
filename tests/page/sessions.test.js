import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Sessions } from "../../sessions_app/static/sessions_app/js/sessions.js";
import { connect, id, pass, Refusal, session, settled, startTheClock, stopTheClock } from "./server.js";

beforeEach(stopTheClock);
afterEach(startTheClock);

const [OLD, NEW, OTHER] = [id(1), id(2), id(3)];

/** @param {Api.SessionShape[]} sessions @param {string | null} next */
const page = (sessions, next = null) => ({ sessions, running: [], next_cursor: next, cursor: 0 });

async function list(sessions = [session(NEW, 1), session(OLD, 9)]) {
  const { server, socket, journal } = await connect();
  server.on("session.list", () => page(sessions));
  const chats = new Sessions(socket, journal);
  await chats.reload();
  return { server, chats };
}

/** @param {Sessions} chats */
const shown = (chats) => chats.shown.map((chat) => chat.id);

/**
 * @param {"session.created" | "session.updated"} name
 * @param {Api.SessionShape} value
 * @returns {Api.FactNotification["event"]}
 */
const changed = (name, value) => ({ type: "CUSTOM", name, value });

test("pinned chats come first, then those with the newest activity", async () => {
  const { chats } = await list([session(OLD, 9), session(NEW, 1), session(OTHER, 99, { pinned: true })]);
  assert.deepEqual(shown(chats), [OTHER, NEW, OLD]);
});

test("the next page follows the one before", async () => {
  const { server, chats } = await list();
  server.on("session.list", ({ cursor }) => (cursor ? page([session(OLD, 9)]) : page([session(NEW, 1)], "next")));
  await chats.reload();
  assert.equal(chats.complete, false);
  chats.more();
  await settled();
  assert.deepEqual([shown(chats), chats.complete], [[NEW, OLD], true]);
});

test("a complete list asks for no more", async () => {
  const { server, chats } = await list();
  chats.more();
  assert.equal(server.asked("session.list").length, 1);
});

test("a chat that was created or changed elsewhere is shown", async () => {
  const { server, chats } = await list([]);
  server.fact(1, changed("session.created", session(NEW)));
  server.fact(2, changed("session.updated", session(NEW, 0, { title: "Named" })));
  assert.deepEqual(
    chats.shown.map((chat) => chat.title),
    ["Named"],
  );
});

test("a chat that was deleted elsewhere is not shown", async () => {
  const { server, chats } = await list();
  server.fact(1, { type: "CUSTOM", name: "session.deleted", value: NEW });
  assert.deepEqual(shown(chats), [OLD]);
});

test("chats that the server no longer has go when the list is loaded again", async () => {
  const { server, chats } = await list();
  server.on("session.list", () => page([session(NEW, 1)]));
  await chats.reload();
  assert.deepEqual(shown(chats), [NEW]);
});

test("chats beyond the page that is loaded again stay", async () => {
  const { server, chats } = await list();
  server.on("session.list", () => page([session(NEW, 1)], "next"));
  await chats.reload();
  assert.deepEqual(shown(chats), [NEW, OLD]);
});

test("a chat that is created while the list is loaded again stays", async () => {
  const { server, chats } = await list();
  /** @type {(answer: Api.ListResult) => void} */
  let answer = () => {};
  server.on("session.list", () => new Promise((resolve) => (answer = resolve)));
  chats.reload();
  await settled();
  server.fact(1, changed("session.created", session(OTHER)));
  answer(page([session(NEW, 1), session(OLD, 9)]));
  await settled();
  assert.deepEqual(shown(chats), [OTHER, NEW, OLD]);
});

test("a chat that is deleted while the list is loaded again does not come back", async () => {
  const { server, chats } = await list();
  /** @type {(answer: Api.ListResult) => void} */
  let answer = () => {};
  server.on("session.list", () => new Promise((resolve) => (answer = resolve)));
  chats.reload();
  await settled();
  server.fact(1, { type: "CUSTOM", name: "session.deleted", value: NEW });
  answer(page([session(NEW, 1), session(OLD, 9)]));
  await settled();
  assert.deepEqual(shown(chats), [OLD]);
});

test("archived chats are a list of their own", async () => {
  const { server, chats } = await list();
  server.on("session.list", () => page([session(OTHER, 5, { archived: true })]));
  await chats.show(true);
  assert.deepEqual(server.asked("session.list").at(-1), { limit: 50, archived: true });
  assert.deepEqual(shown(chats), [OTHER]);
});

test("a page that is refused for now is tried again", async () => {
  const { server, chats } = await list();
  server.on("session.list", () => {
    throw new Refusal(-32603);
  });
  await chats.reload();
  assert.deepEqual([chats.trying.troubled, shown(chats)], [true, [NEW, OLD]]);
  server.on("session.list", () => page([session(NEW, 1)]));
  await pass(1_000);
  assert.deepEqual([chats.trying.troubled, shown(chats)], [false, [NEW]]);
});

test("a first page that a lost connection kept away is loaded when it is back", async () => {
  const { server, socket, journal } = await connect();
  const chats = new Sessions(socket, journal);
  chats.reload();
  server.close();
  await pass(1_000);
  server.on("session.list", () => page([session(NEW)]));
  server.open();
  chats.resume();
  await settled();
  assert.deepEqual(shown(chats), [NEW]);
});

test("a chat that cannot be deleted does not count as deleted here", async () => {
  const { server, chats } = await list();
  server.on("session.delete", () => {
    throw new Refusal(-32603);
  });
  const deleting = chats.delete(NEW);
  assert.ok(chats.deleted.has(NEW));
  await assert.rejects(deleting);
  assert.equal(chats.deleted.has(NEW), false);
  assert.deepEqual(shown(chats), [NEW, OLD]);
});
