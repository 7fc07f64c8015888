import assert from "node:assert/strict";
import { test } from "node:test";
import { isPressed, keysOf } from "../../sessions_app/static/sessions_app/js/keys.js";

/** @param {Partial<import("../../sessions_app/static/sessions_app/js/keys.js").KeyPress>} press */
const press = (press) => ({
  key: "",
  code: "",
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...press,
});

test("Mod is Ctrl, and on a Mac the command key", () => {
  const [ctrl, meta] = [press({ key: "k", ctrlKey: true }), press({ key: "k", metaKey: true })];
  assert.deepEqual([isPressed(ctrl, "Mod+K", false), isPressed(meta, "Mod+K", false)], [true, false]);
  assert.deepEqual([isPressed(ctrl, "Mod+K", true), isPressed(meta, "Mod+K", true)], [false, true]);
});

test("a letter is known with its shift key, and on another script's keyboard by its place", () => {
  const shifted = press({ key: "O", ctrlKey: true, shiftKey: true });
  assert.equal(isPressed(shifted, "Mod+Shift+O", false), true);
  assert.equal(isPressed(shifted, "Mod+O", false), false);
  assert.equal(isPressed(press({ key: "л", code: "KeyK", ctrlKey: true }), "Mod+K", false), true);
  assert.equal(isPressed(press({ key: "t", code: "KeyK", ctrlKey: true }), "Mod+K", false), false);
});

test("a sign is the same wherever a keyboard has it", () => {
  assert.equal(isPressed(press({ key: "/", ctrlKey: true, shiftKey: true }), "Mod+/", false), true);
  assert.equal(isPressed(press({ key: "?", shiftKey: true }), "?", false), true);
});

test("with Alt it is another key", () => {
  assert.equal(isPressed(press({ key: "[", altKey: true, ctrlKey: true }), "[", false), false);
  assert.equal(isPressed(press({ key: "k", altKey: true, ctrlKey: true }), "Mod+K", false), false);
});

test("keys are written as on the keyboard", () => {
  assert.deepEqual(keysOf("Mod+Shift+O", false), ["Ctrl", "Shift", "O"]);
  assert.deepEqual(keysOf("Mod+Shift+O", true), ["⌘", "⇧", "O"]);
  assert.deepEqual(keysOf("Escape", false), ["Esc"]);
});
