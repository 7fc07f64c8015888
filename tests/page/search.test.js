import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { matching } from "../../sessions_app/static/sessions_app/js/commands.js";
import { placesOf } from "../../sessions_app/static/sessions_app/js/found.js";
import { piecesOf, search } from "../../sessions_app/static/sessions_app/js/search.js";
import { CHAT, connect, id, session, startTheClock, stopTheClock } from "./server.js";

beforeEach(stopTheClock);
afterEach(startTheClock);

test("a snippet is cut at its marks, counted in characters", () => {
  assert.deepEqual(piecesOf("🍐 pear, pear", [[2, 6], [8, 12]]), [
    ["🍐 ", false],
    ["pear", true],
    [", ", false],
    ["pear", true],
  ]); // biome-ignore format: a row each
  assert.deepEqual(piecesOf("nothing", []), [["nothing", false]]);
});

test("words of a query are beginnings of words", () => {
  const commands = [{ name: "New chat" }, { name: "Settings", words: "preferences account" }];
  assert.deepEqual(matching(commands, "ch ne"), [commands[0]]);
  assert.deepEqual(matching(commands, "PREF"), [commands[1]]);
  assert.deepEqual(matching(commands, "hat"), []);
  assert.deepEqual(matching(commands, ""), commands);
});

test("a text has a query in any letter case, across line ends", () => {
  assert.deepEqual(placesOf("Call log, call\nLOG", "call log"), [[0, 8], [10, 18]]); // biome-ignore format: one row
  assert.deepEqual(placesOf("1+1 (2)", "+1 ("), [[1, 5]]);
  assert.deepEqual(placesOf("anything", "  "), []);
});

test("hits in the open chat are apart from those in others", async () => {
  const { server, socket } = await connect();
  /** @param {string} chat @param {number} number @returns {Api.HitShape} */
  const hit = (chat, number) => ({
    session_id: chat,
    title: "",
    message_id: id(number),
    position: number,
    snippet: "",
    marks: [],
  });
  server.on("session.list", ({ archived }) => ({
    sessions: archived ? [] : [session()],
    running: [],
    next_cursor: null,
    cursor: 0,
  }));
  server.on("session.search", ({ session_id }) => ({
    hits: session_id ? [hit(CHAT, 1), hit(CHAT, 2)] : [hit(CHAT, 1), hit(id(9), 3)],
  }));
  const { titles, here, said } = await search(socket, "pear", CHAT);
  assert.deepEqual([titles.length, here.length, said.map((found) => found.message_id)], [1, 2, [id(3)]]);
});
