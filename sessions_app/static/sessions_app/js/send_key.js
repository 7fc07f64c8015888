// Which key sends what is written, everywhere on the page: the reader's choice; Ctrl or ⌘ and Enter where there is no real
// keyboard, since Enter is the only way to a new line there.

const isTouch = matchMedia("(pointer: coarse)").matches;
let needsMod = isTouch;

/** @param {string} key "Enter" or "Mod+Enter" */
export function setSendKey(key) {
  needsMod = isTouch || key === "Mod+Enter";
}

/**
 * The keys that send, and that begin a line.
 * @returns {[send: string, line: string]}
 */
export const sendKeys = () => (needsMod ? ["Mod+Enter", "Enter"] : ["Enter", "Shift+Enter"]);

/** @param {KeyboardEvent} event */
export const isSendKey = ({ key, shiftKey, ctrlKey, metaKey }) =>
  key === "Enter" && !shiftKey && (!needsMod || ctrlKey || metaKey);
