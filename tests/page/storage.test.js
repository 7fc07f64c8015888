import assert from "node:assert/strict";
import { test } from "node:test";
import { Storage } from "../../sessions_app/static/sessions_app/js/storage.js";
import { Browser } from "./browser.js";
import { CHAT, id } from "./server.js";

const wanted = () => true;

/** @param {ReturnType<Browser["tab"]>} tab */
const storageOf = (tab, user = "1") => new Storage(user, tab.window);

/** @param {number} number @returns {Page.Entry} */
const entry = (number) => ({
  message_id: id(number),
  session_id: CHAT,
  text: `text ${number}`,
  at: number,
  state: "sending",
});

test("a draft is kept for its chat, and for a chat to come", () => {
  const storage = storageOf(new Browser().tab());
  storage.keepDraft(CHAT, "here");
  storage.keepDraft(null, "there");
  assert.deepEqual([storage.draft(CHAT), storage.draft(null), storage.draft(id(9))], ["here", "there", ""]);
});

test("an emptied draft leaves nothing behind", () => {
  const browser = new Browser();
  const storage = storageOf(browser.tab());
  storage.keepDraft(CHAT, "here");
  storage.keepDraft(CHAT, "");
  assert.deepEqual(Object.keys(browser.localStorage), []);
});

test("two tabs do not write over each other", () => {
  const browser = new Browser();
  const [one, two] = [storageOf(browser.tab()), storageOf(browser.tab())];
  one.keepDraft(CHAT, "one");
  two.keepDraft(CHAT, "two");
  assert.deepEqual([one.draft(CHAT), two.draft(CHAT)], ["one", "two"]);
});

test("a page that is loaded again finds its own draft", () => {
  const browser = new Browser();
  const before = browser.tab();
  storageOf(before).keepDraft(CHAT, "here");
  before.leave();
  assert.equal(storageOf(browser.tab({ sessionStorage: before.sessionStorage })).draft(CHAT), "here");
});

test("a duplicated tab is a tab of its own", () => {
  const browser = new Browser();
  const tab = browser.tab();
  const storage = storageOf(tab);
  const copy = storageOf(browser.tab({ sessionStorage: tab.sessionStorage }));
  assert.notEqual(copy.tab, storage.tab);
});

test("a page that is shown again goes on as its tab", () => {
  const tab = new Browser().tab();
  const storage = storageOf(tab);
  storage.seal();
  tab.leave();
  tab.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  storage.keepDraft(CHAT, "here");
  assert.equal(storage.draft(CHAT), "here");
  assert.equal(tab.sessionStorage.getItem("hermes:tab"), null);
});

test("the draft of a tab that is gone moves to the next that wants it", async () => {
  const browser = new Browser();
  const tab = browser.tab();
  storageOf(tab).keepDraft(CHAT, "here");
  tab.leave();
  const [one, two] = [storageOf(browser.tab()), storageOf(browser.tab())];
  assert.equal(await one.takeOverDraft(CHAT, () => false), "");
  assert.equal(await two.takeOverDraft(CHAT, wanted), "here");
  assert.deepEqual([two.draft(CHAT), await one.takeOverDraft(CHAT, wanted)], ["here", ""]);
});

test("the draft of a tab that is alive stays there", async () => {
  const browser = new Browser();
  storageOf(browser.tab()).keepDraft(CHAT, "here");
  assert.equal(await storageOf(browser.tab()).takeOverDraft(CHAT, wanted), "");
});

test("without locks all other tabs count as gone", async () => {
  const browser = new Browser();
  storageOf(browser.tab({ hasLocks: false })).keepDraft(CHAT, "here");
  assert.equal(await storageOf(browser.tab({ hasLocks: false })).takeOverDraft(CHAT, wanted), "here");
});

test("messages not yet taken are kept in the order they were written", () => {
  const storage = storageOf(new Browser().tab());
  for (const number of [3, 1, 2]) storage.keepUnsent(entry(number));
  storage.dropUnsent(id(2));
  assert.deepEqual(storage.unsent(), [entry(1), entry(3)]);
});

test("messages of tabs that are gone move to the next page", async () => {
  const browser = new Browser();
  const gone = browser.tab();
  storageOf(gone).keepUnsent(entry(1));
  gone.leave();
  const alive = storageOf(browser.tab());
  alive.keepUnsent(entry(2));
  const storage = storageOf(browser.tab());
  await storage.takeOverUnsent();
  assert.deepEqual([storage.unsent(), alive.unsent()], [[entry(1)], [entry(2)]]);
});

test("what one user wrote is not another's", async () => {
  const browser = new Browser();
  const tab = browser.tab();
  const storage = storageOf(tab);
  storage.keepDraft(CHAT, "here");
  storage.keepUnsent(entry(1));
  tab.leave();
  const other = storageOf(browser.tab(), "2");
  await other.takeOverUnsent();
  assert.deepEqual([other.unsent(), await other.takeOverDraft(CHAT, wanted)], [[], ""]);
});

test("logging out leaves nothing, and nothing is kept after it", () => {
  const browser = new Browser();
  const storage = storageOf(browser.tab());
  storage.keepDraft(CHAT, "here");
  storage.keepUnsent(entry(1));
  storage.clear();
  storage.keepDraft(CHAT, "later");
  assert.deepEqual(Object.keys(browser.localStorage), []);
});

test("a browser that keeps nothing costs the draft alone", async () => {
  const tab = new Browser().tab();
  Object.defineProperty(tab, "localStorage", {
    get: () => {
      throw new Error("SecurityError");
    },
  });
  const storage = storageOf(tab);
  storage.keepDraft(CHAT, "here");
  assert.deepEqual([storage.draft(CHAT), storage.unsent(), await storage.takeOverDraft(CHAT, wanted)], ["", [], ""]);
});
