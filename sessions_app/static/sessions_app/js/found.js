// What was looked for, marked in a message: by the browser's own highlights, so the message's elements stay as they are.

const NAME = "found";
const LINE = "found";

/**
 * Marks a text wherever it stands in an element, and the element by a line at its side; what was marked before is not so
 * any more. Returns the first place; null where it does not stand there as it is written (in Markdown, the text of a
 * message is not what is shown).
 * @param {HTMLElement} element
 * @param {string} query
 */
export function markFound(element, query) {
  clearFound();
  element.classList.add(LINE);
  const ranges = find(element, query);
  if (ranges.length && globalThis.CSS?.highlights) CSS.highlights.set(NAME, new Highlight(...ranges));
  return ranges[0] ?? null;
}

/** Returns whether anything was marked. */
export function clearFound() {
  const marked = document.querySelectorAll(`.${LINE}`);
  for (const element of marked) element.classList.remove(LINE);
  globalThis.CSS?.highlights?.delete(NAME);
  return marked.length > 0;
}

/**
 * @param {HTMLElement} element
 * @param {string} query
 */
function find(element, query) {
  const nodes = textNodes(element);
  const text = nodes.map((node) => node.data).join("");
  return placesOf(text, query).map(([start, end]) => rangeOf(nodes, start, end));
}

/** @param {HTMLElement} element */
function textNodes(element) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT, (node) =>
    node.parentElement?.closest(".visually-hidden, .message-foot, button")
      ? NodeFilter.FILTER_REJECT
      : NodeFilter.FILTER_ACCEPT,
  );
  /** @type {Text[]} */
  const nodes = [];
  while (walker.nextNode()) if (walker.currentNode instanceof Text) nodes.push(walker.currentNode);
  return nodes;
}

/**
 * Where a text has a query, in any letter case; no two places overlap.
 * @param {string} text
 * @param {string} query
 * @returns {[start: number, end: number][]}
 */
export function placesOf(text, query) {
  if (!query.trim()) return [];
  const escaped = query
    .trim()
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replace(/\s+/g, "\\s+");
  return [...text.matchAll(new RegExp(escaped, "giu"))].map(({ index, 0: found }) => [index, index + found.length]);
}

/**
 * @param {Text[]} nodes
 * @param {number} start
 * @param {number} end
 */
function rangeOf(nodes, start, end) {
  const range = new Range();
  let begin = 0;
  for (const node of nodes) {
    const after = begin + node.length;
    if (start >= begin && start < after) range.setStart(node, start - begin);
    if (end > begin && end <= after) range.setEnd(node, end - begin);
    begin = after;
  }
  return range;
}
