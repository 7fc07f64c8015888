// What nobody has said: one quiet line between messages, which opens to what the model is told there.

import { h, icon } from "./dom.js";
import { keep, kept } from "./kept.js";

/** @typedef {NonNullable<Page.Message["kind"]>} Kind */

/** @type {Partial<Record<Kind, string>>} */
const WORDS = { note: "Memory updated" };

/**
 * The line of a message that has a kind.
 * @param {Page.Message} message
 * @returns {Page.Item}
 */
export function dividerItem({ id, kind, text }) {
  const words = (kind && WORDS[kind]) ?? "Note";
  return { key: id, version: `divider:${text}`, build: () => divider(id, words, text) };
}

/**
 * Stays as the reader left it.
 * @param {string} id
 * @param {string} words
 * @param {string} text
 */
function divider(id, words, text) {
  const head = h("summary", {}, h("span", { text: words }), icon("open"));
  const node = h(
    "details",
    { class: "divider", data: { step: id } },
    head,
    h("div", { class: "plain-text", dir: "auto", text }),
  );
  node.open = kept(id).open ?? false;
  head.addEventListener("click", () => keep(id, { open: !node.open }));
  return node;
}
