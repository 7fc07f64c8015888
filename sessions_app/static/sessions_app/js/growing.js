// What of a text that is still being written can be shown as Markdown without changing its kind later. Strings only.

import { Blocks, CONTAINERS, MAX_WAITING } from "./blocks.js";

const TOP_LEVEL = /^(?!(?:[-*+]|\d{1,9}[.)])(?:\s|$)|[>|])\S/;

/** A last line that may still become the begin of another kind of block. */
const UNDECIDED = new RegExp(
  `^${CONTAINERS}(?:` +
    [
      String.raw`[-*_+ \t]*`, // a list's mark, a line across, the begin of emphasis
      String.raw`\d{1,9}[.)]?`,
      String.raw`#{1,6}[ \t]*`,
      String.raw`\`{1,2}|\`{3,}[^\`]*|~{1,2}|~{3,}.*`,
      String.raw`\[[ xX]?\]?`, // a task's box
      String.raw`\[\^[^\]]{0,50}(?:\](?::[ \t]*)?)?`, // a footnote
      String.raw`\|.*`,
      String.raw`\$\$?|\$\$(?:[^$]|\$(?!\$))+\$?|\$\$[^$]+\$\$[ \t]*`,
      String.raw`\\|\\\[(?:(?!\\\]).)*|\\\[.*\\\][ \t]*`,
      String.raw`\\b(?:e(?:g(?:i(?:n(?:\{.*)?)?)?)?)?`,
      String.raw`<\/?[A-Za-z]{0,8}|<\/?(?:details|summary)\b.*`,
    ].join("|") +
    ")$",
);
const CLOSING_FENCE = /^[ \t>]*(?:`+|~+)[ \t]*$/;
const TABLE_ROW = new RegExp(`^${CONTAINERS}\\|`);
const DELIMITER_ROW = /^[ \t>|:-]*\n?$/;

/** What is finished within a line, and skipped over. */
const FINISHED = new RegExp(
  [
    String.raw`(\`+)(?!\`)[\s\S]*?[^\`]\1(?!\`)`,
    String.raw`\\\((?:(?!\\\)).)*\\\)`,
    String.raw`\\\[(?:(?!\\\]).)*\\\]`,
    String.raw`\\[^([]`,
    String.raw`\$\$[^$]+\$\$|\$(?![\s$])[^$\`]*[^\s$]\$(?![0-9A-Za-z$])|\$\d`,
    String.raw`!?\[(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*\](?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+[^)]*)?\)|(?=[^([]))`,
    "<[^<>]*>",
    String.raw`&#?\w{1,32};`,
  ].join("|"),
  "y",
);
/** What is opened and not closed before the end of the line. */
const UNFINISHED = new RegExp(
  [
    String.raw`\`+[^\`]*$`,
    String.raw`!?\[.*$`,
    "!$",
    String.raw`<\/?(?:[A-Za-z][^<>]{0,200})?$`,
    String.raw`&#?\w{0,32}$`,
    String.raw`\$\$?(?:[^\s$\`\d][^$\`]*\$?)?$`,
    String.raw`\\(?:[([].*)?$`,
  ].join("|"),
  "y",
);
const MARKS = /[*_~]+$/;

/**
 * The last place after `from` where a new top-level block surely begins: after an empty line, outside of code, formulas and
 * folds, at a line that can continue nothing before it. What is before it no longer changes.
 * @param {string} text
 * @param {number} from
 */
export function lastCut(text, from) {
  const blocks = new Blocks();
  const lines = text.slice(from).split("\n");
  let cut = from;
  let place = from;
  let empty = false;
  for (const [number, line] of lines.entries()) {
    const decided = number < lines.length - 1 || !UNDECIDED.test(line);
    if (!blocks.holds(line) && empty && decided && TOP_LEVEL.test(line)) cut = place;
    blocks.take(line, place);
    empty = line.trim() === "";
    place += line.length + 1;
  }
  return cut;
}

/**
 * A text in pieces of at most a size, cut where a new block begins; one that has no such place is longer.
 * @param {string} text
 * @param {number} size
 */
export function piecesOf(text, size) {
  const pieces = [];
  let from = 0;
  while (text.length - from > size) {
    const cut = lastCut(text.slice(0, from + size), from);
    if (cut === from) break;
    pieces.push(text.slice(from, cut));
    from = cut;
  }
  return [...pieces, text.slice(from)];
}

/**
 * The Markdown to show for the end of a text that is still being written. Two rules keep its blocks from changing their kind:
 * 1. The last line waits while it may still begin another kind of block; so does a table's first line until the one
 *    below it tells, and a formula on lines of its own until it is closed.
 * 2. What is opened within the last line and not closed is plain text from there on. Marks of emphasis at the end wait.
 * A fold that is open is shown with what it holds.
 * @param {string} text
 */
export function presentable(text) {
  const start = text.lastIndexOf("\n") + 1;
  const head = text.slice(0, start);
  const last = text.slice(start);
  const blocks = new Blocks();
  let place = 0;
  for (const line of head.split("\n").slice(0, -1)) {
    blocks.take(line, place);
    place += line.length + 1;
  }
  const folds = "\n</details>".repeat(blocks.folds);
  if (blocks.fence && !blocks.leaves(last))
    return (CLOSING_FENCE.test(last) ? head : text) + (folds && `\n${blocks.fence}${folds}`);
  return shown(text, head, last, blocks) + (folds && `\n${folds}`);
}

/**
 * @param {string} text
 * @param {string} head its whole lines
 * @param {string} last the line after them
 * @param {Blocks} blocks what is open where it begins
 */
function shown(text, head, last, blocks) {
  const above = head.slice(head.slice(0, -1).lastIndexOf("\n") + 1);
  let end = text.length;
  if (blocks.closing) end = blocks.begin;
  else if (TABLE_ROW.test(above) && DELIMITER_ROW.test(last) && !inTable(head)) end = head.length - above.length;
  else if (above.includes("|") && last && DELIMITER_ROW.test(last)) end = head.length;
  else if (UNDECIDED.test(last)) end = head.length;
  if (end < text.length && text.length - end <= MAX_WAITING) return text.slice(0, end);
  return head + finishedLine(last);
}

/**
 * Whether the last whole line is a row of a table that is known to be one.
 * @param {string} head
 */
function inTable(head) {
  const lines = head.split("\n").slice(0, -1);
  const first = lines.findLastIndex((line) => !line.includes("|")) + 1;
  return lines.slice(first + 1).some((line) => line.includes("-") && DELIMITER_ROW.test(line));
}

/**
 * A line whose unfinished end is plain text; a line that may be code by its indentation is left as it is.
 * @param {string} line
 */
function finishedLine(line) {
  if (/^(?: {4}|\t)/.test(line)) return line;
  let place = 0;
  while (place < line.length) {
    FINISHED.lastIndex = place;
    UNFINISHED.lastIndex = place;
    const finished = FINISHED.exec(line);
    if (finished) place += finished[0].length;
    else if (UNFINISHED.test(line)) return line.slice(0, place) + plain(line.slice(place));
    else place += 1;
  }
  return line.replace(MARKS, "");
}

/**
 * Text that Markdown reads as just this: every sign as a character reference.
 * @param {string} text
 */
function plain(text) {
  return text.replace(/[!-/:-@[-`{-~]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
