// What nobody has said: one quiet line between messages, which opens to what the model is told there.

import { detailsButton, wordButton } from "./actions.js";
import { copyFrom } from "./clipboard.js";
import { h, icon, iconButton, within } from "./dom.js";
import { keep, kept } from "./kept.js";
import { Markdown } from "./markdown.js";
import { SUMMARISED } from "./words.js";

/** @typedef {{ isInForce: boolean, markdown: Markdown, actions: Page.Actions }} Setting */

const NOTE = "Memory updated";
const UNDONE = "The whole chat is used again";

/**
 * The line of a message that has a kind.
 * @param {Page.Message} message
 * @param {Setting} setting `isInForce`: whether it is the summary that the model is sent, or what ended that
 * @returns {Page.Item}
 */
export function dividerItem(message, setting) {
  const { id, kind, text, model, ledger } = message;
  const version = `divider:${text}:${model}:${Boolean(ledger)}:${setting.isInForce}`;
  return { key: id, version, build: () => (kind === "summary" ? summary(message, setting) : note(message)) };
}

/** @param {Page.Message} message */
const note = ({ id, text }) => fold(id, NOTE, h("div", { class: "plain-text", dir: "auto", text }));

/**
 * @param {Page.Message} message
 * @param {Setting} setting
 */
function summary(message, { isInForce, markdown, actions }) {
  if (!message.text) return undone(isInForce, actions);
  const body = h("div", { class: "divider-body" }, h("div", { class: "prose", dir: "auto" }));
  body.append(foot(message, isInForce, actions));
  const node = fold(message.id, SUMMARISED, body);
  const fill = () => node.open && markdown.fill(within(body, ".prose"), message.text);
  node.addEventListener("toggle", fill, { once: true });
  fill();
  return node;
}

/**
 * @param {boolean} isInForce
 * @param {Page.Actions} actions
 */
function undone(isInForce, actions) {
  const again = isInForce ? wordButton("summarise", "Summarise again", () => actions.summarise()) : null;
  return h("div", { class: "divider", tabindex: "-1" }, h("p", { class: "divider-line" }, UNDONE, again));
}

/**
 * Who has made a summary, and what can be done with it; with the one in force most.
 * @param {Page.Message} message
 * @param {boolean} isInForce
 * @param {Page.Actions} actions
 */
function foot(message, isInForce, actions) {
  const { text, model, ledger } = message;
  const copy = iconButton("copy", "Copy the summary", () => void copyFrom(copy, text));
  return h(
    "footer",
    { class: "acts" },
    h("span", { class: "divider-by", text: model ? `Written by ${model}` : "Edited by you" }),
    copy,
    ledger ? detailsButton(message) : null,
    isInForce ? wordButton("edit", "Edit", () => actions.edit(message)) : null,
    isInForce ? wordButton("undo", "Use the whole chat", () => actions.useAll()) : null,
  );
}

/**
 * Stays as the reader left it.
 * @param {string} id
 * @param {string} words
 * @param {HTMLElement} body
 */
function fold(id, words, body) {
  const head = h("summary", {}, h("span", { text: words }), icon("open"));
  const node = h("details", { class: "divider", data: { step: id } }, head, body);
  node.open = kept(id).open ?? false;
  head.addEventListener("click", () => keep(id, { open: !node.open }));
  return node;
}
