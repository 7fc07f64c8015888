// What is open at a place of a Markdown text: code, a formula on lines of its own, folds; and how far a list's item is
// indented. Strings only.

/** Characters that may wait at most: those of the longest formula (sessions_app/web/formulas.py). */
export const MAX_WAITING = 1_000;

export const CONTAINERS = String.raw`[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]+|>)*[ \t]*`;
const FENCE = new RegExp(`^${CONTAINERS}(\`{3,}(?=[^\`]*$)|~{3,})(.*)$`);
const FORMULA = new RegExp(String.raw`^${CONTAINERS}(\$\$|\\\[|\\begin\{([a-zA-Z]+\*?)\})`);
/** @type {Record<string, string>} */
const CLOSINGS = { $$: "$$", "\\[": "\\]" };
const CONTAINER_MARKS = new RegExp(`^${CONTAINERS}`);
const ITEM = new RegExp(String.raw`^(?=[ \t>]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$))${CONTAINERS}`);
/** What no paragraph takes for its next line, so that it ends a list unless it is indented. */
const BLOCK = /^ {0,3}(?:#{1,6}\s|```|~~~|\$\$|\\\[|\\begin\{|>|\||<details|(?:[-*_][ \t]*){3,}$)/;

export class Blocks {
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
 * How far a line is indented, its list's marks counted in.
 * @param {string} line
 */
function indentOf(line) {
  return line.length - line.replace(CONTAINER_MARKS, "").length;
}
