// Shortcuts as text ("Mod+Shift+O"; Mod is Ctrl, on a Mac ⌘): which key press is which, and how they are written.

const isMac = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");

/** @typedef {Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">} KeyPress */

/**
 * Whether a key press is a shortcut. A letter is also known by its place where the keyboard writes another script; the
 * shift key only counts beside a letter, since signs stand on other keys in other countries.
 * @param {KeyPress} press
 * @param {string} shortcut
 * @param {boolean} [mac]
 */
export function isPressed(press, shortcut, mac = isMac) {
  const parts = shortcut.split("+");
  const key = parts.pop() ?? "";
  const isLetter = /^[A-Z]$/.test(key);
  const [mod, other] = mac ? [press.metaKey, press.ctrlKey] : [press.ctrlKey, press.metaKey];
  if (mod !== parts.includes("Mod") || other || press.altKey) return false;
  if (isLetter && press.shiftKey !== parts.includes("Shift")) return false;
  if (press.key.toUpperCase() === key.toUpperCase()) return true;
  return isLetter && press.key > "\u007f" && press.code === `Key${key}`;
}

/** @type {Record<string, string>} */
const MAC = { Mod: "⌘", Shift: "⇧" };
/** @type {Record<string, string>} */
const OTHER = { Mod: "Ctrl", ArrowUp: "↑", Escape: "Esc" };

/**
 * The keys to press, one by one, as they are written on them.
 * @param {string} shortcut
 * @param {boolean} [mac]
 */
export const keysOf = (shortcut, mac = isMac) =>
  shortcut.split("+").map((key) => (mac && MAC[key]) || OTHER[key] || key);
