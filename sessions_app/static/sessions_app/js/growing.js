// What of a text that is still being written can be shown as Markdown without changing its kind later. Strings only.

/** Characters that may wait at most: those of the longest formula (sessions_app/web/formulas.py). */
const MAX_WAITING = 1_000;

const CONTAINERS = String.raw`[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]+|>)*[ \t]*`;
const FENCE = new RegExp(`^${CONTAINERS}(\`{3,}(?=[^\`]*$)|~{3,})(.*)$`);
const FORMULA = new RegExp(String.raw`^${CONTAINERS}(\$\$|\\\[|\\begin\{([a-zA-Z]+\*?)\})`);
const TOP_LEVEL = /^(?!(?:[-*+]|\d{1,9}[.)])(?:\s|$)|[>|])\S/;

/** @type {Record<string, string>} */
const CLOSINGS = { $$: "$$", "\\[": "\\]" };

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
const CONTAINER_MARKS = new RegExp(`^${CONTAINERS}`);
const ITEM = new RegExp(String.raw`^(?=[ \t>]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$))${CONTAINERS}`);
/** What no paragraph takes for its next line, so that it ends a list unless it is indented. */
const BLOCK = /^ {0,3}(?:#{1,6}\s|```|~~~|\$\$|\\\[|\\begin\{|>|\||<details|(?:[-*_][ \t]*){3,}$)/;
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

/** What is open at a place of a text: code, a formula on lines of its own, folds; and how far a list's item is indented. */
class Blocks {
  constructor() {
    this.fence = "";
    this.fenceBegin = "";
    this.closing = "";
    this.begin = 0;
    this.folds = 0;
    this.item = "";
    this.paragraph = false;
  }

  /**
   * Whether a line, perhaps not whole, would stand within something that is open.
   * @param {string} line
   */
  holds(line) {
    return (this.fence !== "" && !this.leaves(line)) || this.closing !== "" || this.folds > 0;
  }

  /**
   * Whether a line ends the list's item or the quote that an open fence stands in.
   * @param {string} line
   */
  leaves(line) {
    const text = line.trimStart();
    if (!text) return false;
    return (
      (this.fenceBegin.includes(">") && !text.startsWith(">")) || line.length - text.length < indentOf(this.fenceBegin)
    );
  }

  /**
   * Goes on by one whole line, which begins at `place`.
   * @param {string} line
   * @param {number} place
   */
  take(line, place) {
    const [fenced, marks = "", after = ""] = FENCE.exec(line) ?? [];
    if (this.fence && this.leaves(line)) this.fence = "";
    if (this.fence) {
      if (marks.startsWith(this.fence) && !after.trim()) this.fence = "";
    } else {
      this.takeItem(line);
      if (fenced !== undefined) this.takeFence(line, marks);
      else this.takeFormula(line, place);
      if (/^<details( open)?>/i.test(line)) this.folds += 1;
      if (/^<\/details>\s*$/i.test(line)) this.folds = Math.max(0, this.folds - 1);
    }
    this.paragraph = line.trim() !== "" && !BLOCK.test(line);
  }

  /** @param {string} line */
  takeItem(line) {
    const item = ITEM.exec(line);
    const begins = !this.paragraph || this.item || !/^\s*(?!1[.)])\d/.test(line); // within a paragraph only a 1 begins a list
    if (item && begins) this.item = item[0] || `${line.trimEnd()} `;
    else if ((!this.paragraph || BLOCK.test(line)) && line.trim() && indentOf(line) < indentOf(this.item))
      this.item = "";
  }

  /**
   * @param {string} line
   * @param {string} marks those that the fence is made of
   */
  takeFence(line, marks) {
    const begin = line.slice(0, line.indexOf(marks));
    this.fence = marks;
    this.closing = "";
    this.fenceBegin = indentOf(line) < indentOf(this.item) ? "" : this.item;
    if (/[^ \t]/.test(begin)) this.fenceBegin = begin;
  }

  /**
   * @param {string} line
   * @param {number} place
   */
  takeFormula(line, place) {
    const [before = "", opening = "", environment = ""] = (!this.closing && FORMULA.exec(line)) || [];
    if (opening) {
      this.closing = CLOSINGS[opening] ?? `\\end{${environment}}`;
      this.begin = place;
    }
    const rest = line.slice(before.length);
    if (this.closing && (rest.includes(this.closing) || place - this.begin > MAX_WAITING)) this.closing = "";
  }
}

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
 * How far a line is indented, its list's marks counted in.
 * @param {string} line
 */
function indentOf(line) {
  return line.length - line.replace(CONTAINER_MARKS, "").length;
}

/**
 * Text that Markdown reads as just this: every sign as a character reference.
 * @param {string} text
 */
function plain(text) {
  return text.replace(/[!-/:-@[-`{-~]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
