// What a block of code gets on the page: wrap and copy in its head, and a fold where it is long.

import { copyFrom } from "./clipboard.js";
import { h, icon } from "./dom.js";

/** Lines above which a block is folded; what it shows then is said by code.css. */
const LONG = 40;
const SHOWN = 16;

/**
 * Gives each block what it does not have yet.
 * @param {Element} element in which the blocks are
 * @param {boolean} isGrowing whether the reader sees them being written: then they are not folded, now or later
 */
export function equipCode(element, isGrowing) {
  for (const block of element.querySelectorAll(".code")) {
    const pre = block.querySelector("pre");
    const head = block.querySelector(".code-head");
    if (!pre || !head) continue;
    if (!head.querySelector(".code-tools")) head.append(tools(block, pre));
    if (isGrowing) block.setAttribute("data-seen", "");
    else if (linesIn(pre) > LONG && !block.querySelector(".code-more")) block.append(fold(block, pre));
  }
}

/**
 * A block as the server makes it, for code that needs no server: not coloured.
 * @param {string} language
 * @param {string} text
 */
export function codeBlock(language, text) {
  const head = h("div", { class: "code-head" }, h("span", { class: "code-language", text: language }));
  return h("div", { class: "code" }, head, h("pre", { dir: "ltr" }, h("code", { text })));
}

/**
 * @param {Element} block
 * @param {HTMLPreElement} pre
 */
function tools(block, pre) {
  const wrap = h("button", { type: "button", "aria-pressed": "false" }, icon("wrap"), h("span", { text: "Wrap" }));
  wrap.addEventListener("click", () => {
    wrap.setAttribute("aria-pressed", String(block.classList.toggle("wrapped")));
  });
  const words = h("span", { text: "Copy" });
  const copy = h("button", { type: "button", "aria-label": "Copy code" }, icon("copy"), words);
  copy.addEventListener("click", () => copyFrom(copy, textOf(pre), words));
  return h("div", { class: "code-tools", "data-ours": true }, wrap, copy);
}

/**
 * @param {Element} block
 * @param {HTMLPreElement} pre
 */
function fold(block, pre) {
  const button = h("button", { class: "code-more", type: "button", "data-ours": true });
  /** @param {boolean} isFolded */
  const show = (isFolded) => {
    block.classList.toggle("folded", isFolded);
    button.setAttribute("aria-expanded", String(!isFolded));
    button.textContent = isFolded ? `Show ${linesIn(pre) - SHOWN} more lines` : "Show less";
  };
  button.addEventListener("click", () => {
    show(!block.classList.contains("folded"));
    if (block.classList.contains("folded")) block.scrollIntoView({ block: "nearest" });
  });
  show(!block.hasAttribute("data-seen"));
  return button;
}

/** @param {HTMLPreElement} pre */
const textOf = (pre) => pre.textContent.replace(/\n$/, "");

/** @param {HTMLPreElement} pre */
const linesIn = (pre) => textOf(pre).split("\n").length;
