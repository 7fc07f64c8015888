import assert from "node:assert/strict";
import { test } from "node:test";
import { lastCut, presentable } from "../../sessions_app/static/sessions_app/js/growing.js";

/** The text, cut where nothing before changes any more. @param {string} text */
const cut = (text) => {
  const place = lastCut(text, 0);
  return [text.slice(0, place), text.slice(place)];
};

test("a paragraph is final when another one begins", () => {
  assert.deepEqual(cut("One.\n\nTwo"), ["One.\n\n", "Two"]);
  assert.deepEqual(cut("One.\nTwo"), ["", "One.\nTwo"]);
});

test("a list goes on over empty lines", () => {
  assert.deepEqual(cut("- one\n\n- two"), ["", "- one\n\n- two"]);
});

test("code is not cut", () => {
  assert.deepEqual(cut("```\na\n\nb"), ["", "```\na\n\nb"]);
  assert.deepEqual(cut("```\na\n```\n\nb"), ["```\na\n```\n\n", "b"]);
});

test("a fold is not cut", () => {
  assert.equal(lastCut("<details>\n\nOne\n\nTwo", 0), 0);
});

test("a formula on lines of its own is not cut", () => {
  assert.equal(lastCut("$$\na\n\nb", 0), 0);
});

test("a line waits while it may become something else", () => {
  for (const begin of ["#", "-", "1.", "``", "| a", "$$", "[^1", "<det"]) {
    assert.equal(presentable(`One.\n${begin}`), "One.\n", begin);
  }
});

test("a line that is decided is shown", () => {
  for (const line of ["# Title", "- item", "1. item", "plain"]) assert.equal(presentable(line), line);
});

test("what is opened and not closed is plain text", () => {
  assert.equal(presentable("See [the"), "See &#91;the");
  assert.equal(presentable("Run `ls"), "Run &#96;ls");
  assert.equal(presentable("So $x"), "So &#36;x");
});

test("what is closed is left as it is", () => {
  for (const line of ["Run `ls -l`", "See [it](https://example.org)", "So $x$", "**bold** `*`"]) {
    assert.equal(presentable(line), line);
  }
});

test("marks of emphasis at the end wait", () => {
  assert.equal(presentable("This is **"), "This is ");
});

test("a table is shown when its second line tells that it is one", () => {
  assert.equal(presentable("| a | b |\n|--"), "");
  assert.equal(presentable("| a | b |\n|---|---|\n"), "| a | b |\n|---|---|\n");
});

test("code is shown as it comes, without a fence that may be its end", () => {
  assert.equal(presentable("```\nls `"), "```\nls `");
  assert.equal(presentable("```\nls\n``"), "```\nls\n");
});

test("an open fold is shown with what it holds", () => {
  assert.equal(presentable("<details>\n\nOne"), "<details>\n\nOne\n\n</details>");
});

test("a formula waits until it is closed, or is too long for one", () => {
  assert.equal(presentable("So\n$$\nx"), "So\n");
  const long = `So\n$$\n${"x".repeat(1_100)}`;
  assert.equal(presentable(long), long);
});
