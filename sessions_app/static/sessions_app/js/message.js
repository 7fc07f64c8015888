// How what a user said looks: stored, on its way, or waiting for its turn; and notes.

import { bubble } from "./bubble.js";
import { copyFrom } from "./clipboard.js";
import { h, iconButton, within } from "./dom.js";
import { fileList } from "./files.js";
import { duration, when } from "./words.js";

/**
 * @param {string} speaker
 * @param {(HTMLElement | null)[]} children
 */
function article(speaker, ...children) {
  return h(
    "article",
    { class: "message user", tabindex: "-1" },
    h("h2", { class: "visually-hidden", text: speaker }),
    ...children,
  );
}

/**
 * @param {Page.Message} message
 * @param {HTMLElement} edit
 * @param {HTMLElement | null} versions
 */
export function userMessage({ text, created_at, files }, edit, versions) {
  const time = when(created_at);
  const stamp = h("time", { datetime: created_at, title: time.long, text: time.short });
  const acts = h("footer", { class: "acts" }, stamp, edit, copyButton(text), versions);
  return article("You said", fileList(files), ...said(text), acts);
}

/**
 * A message may be files alone.
 * @param {string} text
 */
const said = (text) => (text.trim() ? bubble(text) : []);

/** @param {string} text */
export function copyButton(text) {
  const button = iconButton("copy", "Copy message", () => void copyFrom(button, text));
  return button;
}

/**
 * A message that waits until the turn before it has ended.
 * @param {Api.QueuedShape} entry
 * @param {string} what it waits for
 * @param {(entry: Api.QueuedShape) => void} withdraw
 */
export function waitingMessage(entry, what, withdraw) {
  const button = iconButton("close", `Remove “${entry.text.slice(0, 60)}”`, () => withdraw(entry));
  button.title = "Remove it; its text goes back into the box";
  return waiting([fileList(entry.files), ...said(entry.text)], `Waits for this ${what}`, button);
}

/**
 * A summary or another answer that was asked for and waits for its turn: there are no words of it.
 * @param {Api.QueuedShape} entry
 * @param {(entry: Api.QueuedShape) => void} withdraw
 */
export function waitingTurn(entry, withdraw) {
  const what = entry.kind === "compaction" ? "A summary" : "Another answer";
  const button = iconButton("close", `Remove: ${what.toLowerCase()}`, () => withdraw(entry));
  return waiting([], `${what} waits for its turn`, button);
}

/**
 * @param {(HTMLElement | null)[]} content
 * @param {string} words
 * @param {HTMLElement} button
 */
function waiting(content, words, button) {
  const how = h("span", { class: "waiting-words", text: words });
  const node = article("Waits for its turn", ...content, h("footer", { class: "acts" }, how, button));
  node.classList.add("waiting");
  return node;
}

/**
 * A message on its way.
 * @typedef {{ edit(entry: Page.Entry): void, retry(entry: Page.Entry): void }} Actions
 * @param {Page.Entry} entry
 * @param {string} words how it stands
 * @param {Actions} actions
 */
export function pendingMessage(entry, words, actions) {
  const node = article("You said", fileList(entry.files), ...said(entry.text));
  node.classList.add("waiting");
  if (entry.state === "refused")
    node.append(
      note("bad", entry.problem ?? "", ["Try again", () => actions.retry(entry)], ["Edit", () => actions.edit(entry)]),
    );
  else if (entry.state === "limited") node.append(limitNote(entry, actions));
  else node.append(h("footer", { class: "acts" }, h("span", { class: "waiting-words", text: words })));
  return node;
}

/**
 * Counts the seconds down until the outbox sends it again by itself.
 * @param {Page.Entry} entry
 * @param {Actions} actions
 */
function limitNote(entry, actions) {
  const box = note("wait", "", ["Edit instead", () => actions.edit(entry)]);
  const words = within(box, "p");
  const tick = () => {
    const seconds = Math.max(1, Math.ceil(((entry.until ?? 0) - Date.now()) / 1000));
    words.textContent = `Too many messages in a short time. Sending again in ${duration(seconds)}.`;
    if (box.isConnected && entry.state === "limited") setTimeout(tick, 500);
  };
  queueMicrotask(tick);
  return box;
}

/**
 * A sentence and buttons.
 * @param {"bad" | "wait" | ""} kind
 * @param {string} text
 * @param {Page.Choice[]} buttons
 */
export function note(kind, text, ...buttons) {
  return h(
    "div",
    { class: `note ${kind}` },
    h("p", { dir: "auto", text }),
    ...buttons.map(([label, act]) =>
      h("button", { class: "button quiet small", type: "button", text: label, on: { click: act } }),
    ),
  );
}
