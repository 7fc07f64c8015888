// What is here of a chat's line: consecutive messages, which may stop before the line's beginning and before its end.
// Plain functions of messages, no page.

/** @typedef {{ messages: Page.Message[], hasMore: boolean, hasNewer: boolean }} Part */

/**
 * Where a message stands; one that has no place yet, or is not there, comes after all others.
 * @param {Page.Message | undefined} message
 */
export const placeOf = (message) => message?.position ?? Infinity;

/**
 * Whether a page has one of these messages.
 * @param {Page.Message[]} messages
 * @param {Page.Message[]} page
 */
export function meets(messages, page) {
  const known = new Set(page.map((message) => message.id));
  return messages.some((message) => known.has(message.id));
}

/**
 * The page, with what is here before and after it where both meet: else there would be a gap.
 * @param {Part} part
 * @param {Part} page
 * @returns {Part}
 */
export function joined(part, page) {
  if (!meets(part.messages, page.messages)) return page;
  const [first, last] = [placeOf(page.messages[0]), placeOf(page.messages.at(-1))];
  const older = part.messages.filter((message) => placeOf(message) < first);
  const newer = part.messages.filter((message) => placeOf(message) > last);
  return {
    messages: [...older, ...page.messages, ...newer],
    hasMore: older.length ? part.hasMore : page.hasMore,
    hasNewer: newer.length ? part.hasNewer : page.hasNewer,
  };
}
