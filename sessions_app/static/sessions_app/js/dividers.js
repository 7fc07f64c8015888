// What nobody has said: one quiet line between messages, which opens to what the model is told there.

import { detailsButton, wordButton } from "./actions.js";
import { copyFrom } from "./clipboard.js";
import { h, icon, iconButton, reconcile, within } from "./dom.js";
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
  const { id, text, model, ledger } = message;
  const said = `divider:${text}:${model}:`;
  const version = `${said}${Boolean(ledger)}:${setting.isInForce}`;
  // One that says the same stays: it may be open, marked as found, or have the focus.
  const build = (/** @type {HTMLElement | undefined} */ old) =>
    old && text && old.dataset.version?.startsWith(said) ? refitted(old, message, setting) : made(message, setting);
  return { key: id, version, build };
}

/**
 * @param {Page.Message} message
 * @param {Setting} setting
 */
const made = (message, setting) => (message.kind === "summary" ? summary(message, setting) : note(message));

/** @param {Page.Message} message */
const note = ({ id, text }) => fold(id, NOTE, h("div", { class: "plain-text", dir: "auto", text }));

/**
 * @param {Page.Message} message
 * @param {Setting} setting
 */
function summary(message, { isInForce, markdown, actions }) {
  if (!message.text) return undone(isInForce, actions);
  const body = h("div", { class: "divider-body" }, h("div", { class: "prose", dir: "auto" }));
  const foot = h("footer", { class: "acts" });
  body.append(foot);
  fillFoot(foot, message, isInForce, actions);
  const node = fold(message.id, SUMMARISED, body);
  const fill = () => node.open && markdown.fill(within(body, ".prose"), message.text);
  node.addEventListener("toggle", fill, { once: true });
  fill();
  return node;
}

/**
 * @param {HTMLElement} node of a summary that says the same
 * @param {Page.Message} message
 * @param {Setting} setting
 */
function refitted(node, message, { isInForce, actions }) {
  if (message.kind === "summary") fillFoot(within(node, ".acts"), message, isInForce, actions);
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
 * @param {HTMLElement} foot
 * @param {Page.Message} message
 * @param {boolean} isInForce
 * @param {Page.Actions} actions
 */
function fillFoot(foot, message, isInForce, actions) {
  const { text, model, ledger } = message;
  const by = () => h("span", { class: "divider-by", text: model ? `Written by ${model}` : "Edited by you" });
  const copy = () => {
    const button = iconButton("copy", "Copy the summary", () => void copyFrom(button, text));
    return button;
  };
  const edit = () => wordButton("edit", "Edit", () => actions.edit(message));
  const useAll = () => wordButton("undo", "Use the whole chat", () => actions.useAll());
  /** @type {[string, boolean, () => HTMLElement][]} */
  const parts = [
    ["by", true, by],
    ["copy", true, copy],
    ["details", Boolean(ledger), () => detailsButton(message)],
    ["edit", isInForce, edit],
    ["use all", isInForce, useAll],
  ];
  reconcile(
    foot,
    parts.filter(([, has]) => has).map(([key, , build]) => ({ key, version: "", build })),
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
