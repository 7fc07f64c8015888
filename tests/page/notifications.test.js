import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Journal } from "../../sessions_app/static/sessions_app/js/journal.js";
import { Notifications } from "../../sessions_app/static/sessions_app/js/notifications.js";
import { Preferences } from "../../sessions_app/static/sessions_app/js/preferences.js";
import { Socket } from "../../sessions_app/static/sessions_app/js/socket.js";
import { Storage } from "../../sessions_app/static/sessions_app/js/storage.js";
import { Browser } from "./browser.js";
import { CHAT, id, pass, RUN, Server, settled, startTheClock, stopTheClock } from "./server.js";

beforeEach(stopTheClock);
afterEach(startTheClock);

/** So many tabs that nobody looks at, whose user wants notifications; and what was notified. */
async function hidden(count = 1) {
  const browser = new Browser();
  const server = new Server();
  /** @type {string[]} */
  const notified = [];
  class Notification {
    static permission = "granted";
    /** @param {string} title @param {{ body: string }} options */
    constructor(title, { body }) {
      notified.push(`${title}: ${body}`);
    }
  }
  const tabs = Array.from({ length: count }, () => {
    const tab = Object.assign(browser.tab({ server }), { Notification });
    const journal = new Journal(new Socket("wss://chat.example.org/", tab.window));
    const preferences = new Preferences(new Storage("7", tab.window), tab.window);
    new Notifications({ journal, preferences, title: () => "Pears", go: () => {}, browser: tab.window });
    tab.document.visibilityState = "hidden";
    preferences.set("notifications", "on");
    return { tab, journal, preferences };
  });
  return { tabs, notified };
}

/**
 * @param {Awaited<ReturnType<typeof hidden>>["tabs"]} tabs
 * @param {number} seconds
 * @param {Api.TurnShape["status"]} status
 * @param {Api.TurnShape["kind"]} kind
 */
async function answered(tabs, seconds, status = "complete", kind = "message") {
  /** @param {"turn.began" | "turn.ended"} name @param {Api.TurnShape["status"]} now */
  const turn = (name, now) => {
    const value = { session_id: CHAT, run_id: RUN, status: now, message_id: id(1), error: null, kind };
    for (const { journal } of tabs) {
      journal.tell("event", {
        session_id: CHAT,
        run_id: null,
        seq: null,
        cursor: 1,
        event: { type: "CUSTOM", name, value },
      });
    }
  };
  turn("turn.began", "running");
  await pass(seconds * 1000);
  turn("turn.ended", status);
  await settled();
}

test("a long answer is told to who looks at something else", async () => {
  const { tabs, notified } = await hidden();
  await answered(tabs, 10);
  assert.deepEqual(notified, ["Pears: The answer is here."]);
});

test("several tabs tell it once", async () => {
  const { tabs, notified } = await hidden(3);
  await answered(tabs, 60, "failed");
  assert.deepEqual(notified, ["Pears: The answer broke off."]);
});

test("a short answer, one that was stopped, and a summary are told to nobody", async () => {
  const { tabs, notified } = await hidden();
  await answered(tabs, 9);
  await answered(tabs, 60, "stopped");
  await answered(tabs, 60, "complete", "compaction");
  assert.deepEqual(notified, []);
});

test("nothing is told to who looks, or does not want it", async () => {
  const { tabs, notified } = await hidden();
  for (const { tab } of tabs) tab.document.visibilityState = "visible";
  await answered(tabs, 60);
  for (const { tab, preferences } of tabs) {
    tab.document.visibilityState = "hidden";
    preferences.set("notifications", "off");
  }
  await answered(tabs, 60);
  assert.deepEqual(notified, []);
});

test("who is asked for a decision is told at once, and of the answer's end no more", async () => {
  const { tabs, notified } = await hidden(2);
  /** @type {Api.ApprovalShape} */
  const value = {
    id: id(7),
    session_id: CHAT,
    run_id: RUN,
    tool_call_id: "a",
    tool: "mail_send",
    arguments: "{}",
    decision: null,
  };
  for (const { journal } of tabs) {
    journal.tell("event", {
      session_id: CHAT,
      run_id: null,
      seq: null,
      cursor: 1,
      event: { type: "CUSTOM", name: "approval.waiting", value },
    });
  }
  await settled();
  assert.deepEqual(notified, ["Pears: Your decision is needed: the answer wants to use mail send."]);
});
