// A user's own words: plain text, but for fences of code. Very long ones can be opened.

import { codeBlock, equipCode } from "./code.js";
import { h } from "./dom.js";

const CLIP_LENGTH = 2_000;
const CLIP_LINES = 24;
const FENCE = /^(`{3,}|~{3,})([^`\n]*)\n([\s\S]*?)\n?^\1[ \t]*$\n?/gm;

/** @param {string} text */
export function bubble(text) {
  const box = h("div", { class: "bubble", dir: "auto" }, ...pieces(text));
  equipCode(box, false);
  if (text.length <= CLIP_LENGTH && text.split("\n", CLIP_LINES + 1).length <= CLIP_LINES) return [box];
  box.classList.add("clipped");
  const button = h("button", { class: "link-button", type: "button", "aria-expanded": "false", text: "Show all" });
  button.addEventListener("click", () => {
    const clipped = box.classList.toggle("clipped");
    button.setAttribute("aria-expanded", String(!clipped));
    button.textContent = clipped ? "Show all" : "Show less";
  });
  return [box, button];
}

/** @param {string} text */
function* pieces(text) {
  let place = 0;
  for (const { 0: whole, 2: language = "", 3: code = "", index } of text.matchAll(FENCE)) {
    yield between(text.slice(place, index));
    yield codeBlock(language.trim(), code);
    place = index + whole.length;
  }
  yield place ? between(text.slice(place)) : text;
}

/**
 * Words before or after a block of code, without the empty lines there: the block has its own margins.
 * @param {string} words
 */
function between(words) {
  let [begin, end] = [0, words.length];
  while (words[begin] === "\n") begin += 1;
  while (end > begin && words[end - 1] === "\n") end -= 1;
  return words.slice(begin, end);
}
