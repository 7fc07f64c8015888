// What rendered Markdown gets on the page: buttons of its code, levels of its headings, and for the keyboard what scrolls.

import { equipCode } from "./code.js";

/** The level under which the headings of an answer stand. */
const ABOVE = 2;

/** @type {ResizeObserver | undefined} */
let widths; // what is too wide may change with the width of the window

/**
 * @param {HTMLElement} element
 * @param {boolean} isGrowing whether its text is being written
 */
export function equip(element, isGrowing) {
  equipCode(element, isGrowing);
  levelHeadings(element);
  widths ??= new ResizeObserver((entries) => {
    for (const { target } of entries) letKeysScroll(target);
  });
  widths.observe(element);
}

/**
 * Wide code, tables and formulas scroll sideways, by keyboard only where they can be focused.
 * @param {Element} element
 */
function letKeysScroll(element) {
  /** @type {NodeListOf<HTMLElement | MathMLElement>} */
  const boxes = element.querySelectorAll('.code pre, .table, math[display="block"]');
  for (const box of boxes) {
    if (box.scrollWidth <= box.clientWidth) continue;
    box.tabIndex = 0;
    if (box.localName === "math") continue; // says by itself what it is
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", box.localName === "pre" ? "Wide code" : "Wide table");
    if (box.localName === "div") box.classList.add("wide");
  }
}

/**
 * Whatever level a model begins with, to a screen reader its headings stand one below each other.
 * @param {HTMLElement} element
 */
function levelHeadings(element) {
  let first = 0;
  let above = ABOVE;
  for (const heading of element.querySelectorAll("h3, h4, h5, h6")) {
    const own = Number(heading.localName.slice(1));
    first ||= own;
    above = Math.min(above + 1, Math.max(ABOVE + 1, own - first + ABOVE + 1));
    if (above !== own) heading.setAttribute("aria-level", String(above));
  }
}
