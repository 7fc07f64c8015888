// The buttons under a message: what can be done with it.

import { toast } from "./announce.js";
import { h, iconButton, within } from "./dom.js";
import { using } from "./later.js";
import { versionWords } from "./versions.js";

/**
 * @param {Page.Message} message
 * @param {Page.Actions} actions
 */
export const editButton = (message, actions) => steeringButton("edit", "Edit", () => actions.edit(message));

/**
 * @param {Page.Message} message the last one of an answer
 * @param {boolean} hasNote whether "Try again" stands in a note under it
 * @param {Page.Actions} actions
 */
export function answerButtons(message, hasNote, actions) {
  return [
    ...(hasNote ? [] : [againButton(message, actions)]),
    ...(message.text ? [rateButton("good", 1, message, actions), rateButton("poor", -1, message, actions)] : []),
    iconButton("fork", "New chat from here", () => actions.fork(message)),
  ];
}

/**
 * @param {Page.Message} message
 * @param {Page.Actions} actions
 */
function againButton(message, actions) {
  const button = steeringButton("again", "Try again", () => actions.again(message.id, button));
  return button;
}

/**
 * `‹ 2/3 ›`, each way to the neighbour by age.
 * @param {Page.Versions | null} versions
 * @param {Page.Actions} actions
 */
export function versionButtons(versions, actions) {
  if (!versions) return null;
  const { ids, at } = versions;
  const words = `${at + 1}/${ids.length}`;
  /** @param {string} name @param {string} label @param {string | undefined} target */
  const step = (name, label, target) => {
    const button = steeringButton(name, label, () => target && actions.select(versions, target, button));
    button.disabled = !target;
    return button;
  };
  return h(
    "span",
    { class: "versions", role: "group", "aria-label": versionWords(versions) },
    step("previous", "Previous version", ids[at - 1]),
    h("span", { class: "version", "aria-hidden": "true", text: words }),
    step("next", "Next version", ids[at + 1]),
  );
}

/**
 * Puts focus on the button that was pressed, as it is now; at the end of the versions on the other one.
 * @param {HTMLElement} node
 * @param {string | undefined} name
 */
export function focusStep(node, name) {
  const button = within(node, `[data-steers="${name}"]`, HTMLButtonElement);
  const other = button.disabled ? within(node, ".versions button:enabled", HTMLButtonElement) : button;
  other.focus({ preventScroll: true });
}

/**
 * A button of what cannot be done while something is on its way: then it says why, and does nothing.
 * @param {string} name
 * @param {string} label
 * @param {() => void} act
 */
function steeringButton(name, label, act) {
  const button = iconButton(name, label, () => (isBlocked(button) ? toast(button.title) : act()));
  button.dataset.steers = name;
  return button;
}

/**
 * Such a button, with words on it.
 * @param {string} name
 * @param {string} label
 * @param {() => void} act
 */
export function wordButton(name, label, act) {
  const button = h("button", { class: "link-button", type: "button", text: label, data: { steers: name } });
  button.addEventListener("click", () => (isBlocked(button) ? toast(button.title) : act()));
  return button;
}

/** @param {HTMLElement} button */
const isBlocked = (button) => button.getAttribute("aria-disabled") === "true";

/**
 * @param {string} name
 * @param {1 | -1} rating
 * @param {Page.Message} message
 * @param {Page.Actions} actions
 */
function rateButton(name, rating, message, actions) {
  const label = rating === 1 ? "Good answer" : "Poor answer";
  const button = iconButton(name, label, () => actions.rate(message, rating));
  button.dataset.rating = String(rating);
  return button;
}

/**
 * Says on all buttons within a box how things stand: they keep their place, and focus stays on them.
 * @param {HTMLElement} box
 * @param {string} reason why the conversation cannot be steered just now; empty where it can
 */
export function block(box, reason) {
  /** @type {NodeListOf<HTMLElement>} */
  const buttons = box.querySelectorAll("[data-steers]");
  for (const button of buttons) {
    if (reason) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
    button.title = reason || (button.ariaLabel ?? "");
  }
}

/**
 * Shows a message's rating on its buttons.
 * @param {HTMLElement} node
 * @param {Page.Message} message
 */
export function showRating(node, { rating }) {
  /** @type {NodeListOf<HTMLElement>} */
  const buttons = node.querySelectorAll("[data-rating]");
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.rating) === rating));
  }
}

/**
 * "…": when and by which model an answer was written, and what it cost.
 * @param {Page.Message} message the last one of an answer
 */
export function detailsButton(message) {
  const open = () => {
    if (!button.popoverTargetElement) void using("details", ({ openDetails }) => openDetails(button, message));
  };
  const button = iconButton("more", "Details", open);
  button.setAttribute("aria-expanded", "false");
  return button;
}

/**
 * The line of who answered.
 * @param {string | null | undefined} model
 */
export const modelName = (model) => (model ? h("span", { class: "model", text: model }) : null);
