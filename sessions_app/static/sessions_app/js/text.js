// What the page needs of text and of time, besides the language's own.

/**
 * Characters as Python counts them: code points, not UTF-16 units.
 * @param {string} text
 */
export function length(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * Without pasted rubbish that no text may hold: NUL, and halves of characters.
 * @param {string} text
 */
export const cleaned = (text) => text.replaceAll("\0", "\ufffd").toWellFormed();
