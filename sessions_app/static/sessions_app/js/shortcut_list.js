// The dialog that lists the shortcuts.

import { h, iconButton } from "./dom.js";
import { keysOf } from "./keys.js";

/** @typedef {[words: string, shortcut: string]} Line */

/**
 * Opens it; Esc closes it, focus goes back.
 * @param {string} sendKey
 * @param {string} lineKey
 */
export function openShortcutList(sendKey, lineKey) {
  const dialog = h("dialog", { class: "dialog keys", id: "shortcuts", "aria-labelledby": "keys-title" });
  dialog.append(
    h("h2", { id: "keys-title", text: "Shortcuts" }),
    iconButton("close", "Close", () => dialog.close()),
    ...section("Everywhere", [
      ["Search and commands", "Mod+K"],
      ["New chat", "Mod+Shift+O"],
      ["Show or hide the list of chats", "Mod+B"],
      ["Go to the message box", "/"],
      ["This list", "Mod+/"],
    ]),
    ...section("In a chat", [
      ["Send", sendKey],
      ["New line", lineKey],
      ["Edit your last message, in an empty box", "ArrowUp"],
      ["Stop the answer, close what is open", "Escape"],
    ]),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * @param {string} title
 * @param {Line[]} lines
 */
function section(title, lines) {
  const list = h("dl");
  for (const [words, shortcut] of lines) {
    list.append(h("dt", { text: words }), h("dd", {}, ...keysOf(shortcut).map((key) => h("kbd", { text: key }))));
  }
  return [h("h3", { text: title }), list];
}
