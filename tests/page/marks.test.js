import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Marks } from "../../sessions_app/static/sessions_app/js/marks.js";
import { Sessions } from "../../sessions_app/static/sessions_app/js/sessions.js";
import { Storage } from "../../sessions_app/static/sessions_app/js/storage.js";
import { CHAT, connect, id, RUN, session, startTheClock, stopTheClock } from "./server.js";

beforeEach(stopTheClock);
afterEach(startTheClock);

const OTHER = id(9);

/** @param {string[]} running */
async function marked(...running) {
  const { server, tab, socket, journal } = await connect();
  const storage = new Storage("7", tab.window);
  const sessions = new Sessions(socket, journal);
  const marks = new Marks({ sessions, journal, storage, browser: tab.window });
  server.on("session.list", () => ({ sessions: [session(), session(OTHER)], running, next_cursor: null, cursor: 0 }));
  await sessions.reload();
  return { server, tab, storage, sessions, marks };
}

/**
 * @param {"turn.began" | "turn.ended"} name
 * @param {Api.TurnShape["status"]} status
 * @param {string} chat
 * @param {Api.TurnShape["kind"]} kind
 * @returns {Api.FactNotification["event"]}
 */
const turn = (name, status, chat = CHAT, kind = "message") => ({
  type: "CUSTOM",
  name,
  value: { session_id: chat, run_id: RUN, status, message_id: id(1), error: null, kind },
});

test("after a reload the list says which turns run, then the facts do", async () => {
  const { server, marks } = await marked(OTHER);
  assert.deepEqual([marks.of(CHAT), marks.of(OTHER)], ["", "running"]);
  server.fact(1, turn("turn.began", "running"));
  server.fact(2, turn("turn.ended", "complete", OTHER));
  assert.deepEqual([marks.of(CHAT), marks.of(OTHER)], ["running", "unread"]);
});

test("a turn that has ended by the time its beginning is told does not run", async () => {
  const { server, marks } = await marked();
  server.fact(1, turn("turn.began", "complete"));
  assert.equal(marks.of(CHAT), "");
});

test("an answer in the open chat is read, unless nobody looks at the tab", async () => {
  const { server, tab, marks } = await marked();
  marks.show(CHAT);
  server.fact(1, turn("turn.ended", "complete"));
  assert.deepEqual([marks.of(CHAT), marks.prefix], ["", ""]);
  tab.document.visibilityState = "hidden";
  server.fact(2, turn("turn.ended", "complete"));
  assert.deepEqual([marks.of(CHAT), marks.prefix], ["unread", "(1) "]);
  tab.document.visibilityState = "visible";
  tab.document.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual([marks.of(CHAT), marks.prefix], ["", ""]);
});

test("a summary marks no chat as unread, whatever came of it", async () => {
  const { server, marks } = await marked(OTHER);
  server.fact(1, turn("turn.ended", "complete", OTHER, "compaction"));
  assert.equal(marks.of(OTHER), "");
  server.fact(2, turn("turn.ended", "failed", OTHER, "compaction"));
  assert.deepEqual([marks.of(OTHER), marks.prefix], ["", ""]);
});

test("the title says first that the open chat's answer runs", async () => {
  const { server, marks } = await marked(CHAT);
  server.fact(1, turn("turn.ended", "failed", OTHER));
  marks.show(CHAT);
  assert.equal(marks.prefix, "● ");
  server.fact(2, turn("turn.ended", "stopped"));
  assert.equal(marks.prefix, "(1) ");
});

test("what is unread stays so after a reload, and is read in all tabs", async () => {
  const { server, tab, storage, sessions, marks } = await marked();
  server.fact(1, turn("turn.ended", "complete"));
  const again = new Marks({ sessions, journal: sessions.journal, storage, browser: tab.window });
  assert.equal(again.of(CHAT), "unread");
  again.show(CHAT);
  assert.equal(marks.of(CHAT), "");
});

test("what one window shows is read, whatever another window beside it marks", async () => {
  const { server, tab, storage, sessions, marks } = await marked();
  marks.show(CHAT);
  const beside = new Marks({ sessions, journal: sessions.journal, storage, browser: tab.window });
  beside.show(OTHER);
  server.fact(1, turn("turn.ended", "complete"));
  tab.window.dispatchEvent(new Event("storage"));
  assert.deepEqual([marks.of(CHAT), beside.of(CHAT)], ["", ""]);
});

test("a chat that is gone is not counted", async () => {
  const { server, marks } = await marked();
  server.fact(1, turn("turn.ended", "complete"));
  server.fact(2, { type: "CUSTOM", name: "session.deleted", value: CHAT });
  assert.equal(marks.prefix, "");
});

test("a draft is marked where it is not before one's eyes", async () => {
  const { storage, marks } = await marked();
  storage.keepDraft(CHAT, "Hel");
  assert.equal(marks.of(CHAT), "draft");
  marks.show(CHAT);
  assert.equal(marks.of(CHAT), "");
});

test("a chat that asks for a decision says so until one is made, in all tabs", async () => {
  const { server, marks } = await marked();
  /** @param {"approval.waiting" | "approval.decided"} name @returns {Api.FactNotification["event"]} */
  const told = (name) => ({
    type: "CUSTOM",
    name,
    value: {
      id: id(7),
      session_id: CHAT,
      run_id: RUN,
      tool_call_id: "a",
      tool: "mail_send",
      arguments: "{}",
      decision: null,
    },
  });
  marks.show(CHAT);
  server.fact(1, told("approval.waiting"));
  assert.deepEqual([marks.of(CHAT), marks.prefix], ["asks", "? "]);
  server.fact(2, told("approval.decided"));
  assert.deepEqual([marks.of(CHAT), marks.prefix], ["", ""]);
});
