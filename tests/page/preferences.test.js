import assert from "node:assert/strict";
import { test } from "node:test";
import { Preferences } from "../../sessions_app/static/sessions_app/js/preferences.js";
import { Storage } from "../../sessions_app/static/sessions_app/js/storage.js";
import { Browser } from "./browser.js";

/** @param {Browser} browser */
function preferences(browser) {
  const tab = browser.tab();
  const storage = new Storage("7", tab.window);
  return { tab, storage, chosen: new Preferences(storage, tab.window) };
}

test("what was chosen is kept, and tells", () => {
  const browser = new Browser();
  const { chosen } = preferences(browser);
  let told = 0;
  chosen.on("change", () => {
    told += 1;
  });
  assert.equal(chosen.get("theme"), "system");
  chosen.set("theme", "dark");
  assert.deepEqual([chosen.get("theme"), preferences(browser).chosen.get("theme"), told], ["dark", "dark", 1]);
  chosen.set("theme", "system");
  assert.equal(browser.localStorage.getItem("hermes:7:theme"), null);
});

test("what nobody could choose counts as nothing", () => {
  const browser = new Browser();
  browser.localStorage.setItem("hermes:7:hours", "13");
  assert.equal(preferences(browser).chosen.get("hours"), "system");
});

test("logging out takes what was written, not what was chosen", () => {
  const { storage, chosen } = preferences(new Browser());
  storage.keepDraft(null, "Hello");
  chosen.set("theme", "dark");
  storage.clear();
  assert.deepEqual([storage.draft(null), chosen.get("theme")], ["", "dark"]);
});
