// Shortcuts of the whole page, and what is typed with the focus nowhere, which is meant for the message box.

import { isPressed } from "./keys.js";

/** What takes the keyboard for itself while it is open. */
const OPEN = "dialog[open], :popover-open:not(#toast)";
/** Where keys write, or choose. */
const FIELDS = "input, textarea, select, [contenteditable]";
/** Where keys have nothing to do but scroll. */
const NOWHERE = "body, #scroller, #thread *";

/**
 * `keys` that need no Ctrl or ⌘ are left to fields. While something is open, only its own (`closes`) is heard.
 * @typedef {object} Shortcut
 * @property {string[]} keys
 * @property {() => void} act
 * @property {string} [closes] a selector of what the same keys close again
 */

/**
 * @param {Shortcut[]} shortcuts
 * @param {HTMLElement} box in which messages are written
 */
export function listenForShortcuts(shortcuts, box) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return;
    const found = shortcuts.find(({ keys }) => keys.some((key) => isMeant(event, key)));
    const open = document.querySelector(OPEN);
    if (found && (!open || (found.closes && open.matches(found.closes)))) {
      event.preventDefault();
      found.act();
    } else if (!open && !found && isTyped(event)) box.focus();
  });
}

/**
 * @param {KeyboardEvent} event
 * @param {string} key
 */
const isMeant = (event, key) => isPressed(event, key) && (key.startsWith("Mod+") || !isIn(event, FIELDS));

/**
 * Whether a sign was typed that nothing takes: the browser writes it into what has the focus after this.
 * @param {KeyboardEvent} event
 */
const isTyped = (event) =>
  event.key.length === 1 &&
  event.key !== " " &&
  !(event.ctrlKey || event.metaKey || event.altKey) &&
  isIn(event, NOWHERE) &&
  !isIn(event, `${FIELDS}, button, a, summary`);

/**
 * @param {KeyboardEvent} event
 * @param {string} selector
 */
const isIn = ({ target }, selector) => target instanceof Element && target.matches(selector);
