// How an answer looks: its texts and steps, and under them what can be done with it. One element from the first word on:
// what is selected, focused or open in it stays so when it is stored.

import { detailsButton, modelName } from "./actions.js";
import { h, reconcile, within } from "./dom.js";
import { Markdown } from "./markdown.js";
import { copyButton } from "./message.js";
import { morph } from "./morph.js";
import { stepList } from "./steps.js";

/** @type {Record<string, string>} */
const TAGS = { stopped: "Stopped", interrupted: "Interrupted", failed: "Cut off" };

/** The element of an answer, without anything in it. */
export function answerElement() {
  return h(
    "article",
    { class: "message assistant", tabindex: "-1" },
    h("h2", { class: "visually-hidden", text: "Hermes says" }),
    h("div", { class: "parts" }),
  );
}

/**
 * Shows these blocks in an answer's element.
 * @param {HTMLElement} element
 * @param {Page.Block[]} blocks
 * @param {(part: Page.Part, old: HTMLElement | undefined) => HTMLElement} build makes the element of a text, from the one
 *   that stood for it where there is one
 * @param {(part: Page.Part) => string} versionOf tells when that is to be done again
 */
export function fillAnswer(element, blocks, build, versionOf) {
  reconcile(
    within(element, ".parts"),
    blocks.map(({ key, steps, text }) =>
      steps
        ? { key, version: stepsVersion(steps), build: (old) => stepsElement(steps, old) }
        : { key, version: versionOf(text), build: (old) => build(text, old) },
    ),
  );
}

/** @param {Page.Step[]} steps */
const stepsVersion = (steps) =>
  steps
    .map(({ key, length, done, result, left, approval, progress, files }) =>
      [key, length, done, result?.length, left, approval, progress?.progress, progress?.message, files?.length].join(
        " ",
      ),
    )
    .join();

/**
 * @param {Page.Step[]} steps
 * @param {HTMLElement | undefined} old
 */
function stepsElement(steps, old) {
  const fresh = stepList(steps);
  if (!old) return fresh;
  morph(old, fresh);
  return old;
}

/**
 * Shows an answer that is stored.
 * @param {HTMLElement} element
 * @param {Page.Block[]} blocks
 * @param {Markdown} markdown
 */
export function showStored(element, blocks, markdown) {
  within(element, "h2").textContent = "Hermes said";
  const build = (/** @type {Page.Part} */ { text }, /** @type {HTMLElement | undefined} */ old) => {
    const body = old ?? h("div", { class: "prose", dir: "auto" });
    markdown.fill(body, text);
    return body;
  };
  fillAnswer(element, blocks, build, ({ text }) => `stored ${text.length}`);
}

/**
 * Puts what can be done with an answer under it.
 * @param {HTMLElement} element
 * @param {Page.Message[]} messages of the answer
 * @param {Page.Message} last the last one that the model wrote
 * @param {(HTMLElement | null)[]} buttons
 * @param {HTMLElement | null} versions
 */
export function putActions(element, messages, last, buttons, versions) {
  const text = messages.flatMap((message) => (message.role === "assistant" && message.text) || []).join("\n\n");
  const tag = TAGS[last.status];
  element.querySelector(".acts")?.remove();
  element.append(
    h(
      "footer",
      { class: "acts" },
      tag ? h("span", { class: "tag", text: tag }) : null,
      text ? copyButton(text) : null,
      ...buttons,
      detailsButton(last),
      versions,
      modelName(last.model),
    ),
  );
}
