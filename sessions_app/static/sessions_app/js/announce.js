// What happens, said twice: to screen readers in a live region, and briefly to everybody as a toast.

import { $, h } from "./dom.js";

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let pending = "";

/**
 * Says it politely; what comes within the same moment is said in one go.
 * @param {string} text
 */
export function announce(text) {
  const region = $("announcer");
  pending = pending ? `${pending} ${text}` : text;
  clearTimeout(timer);
  region.textContent = "";
  timer = setTimeout(() => {
    region.textContent = pending;
    pending = "";
  }, 80);
}

/** Milliseconds: to read it; to read it and press its button. */
const SHORT_TOAST = 3_500;
const LONG_TOAST = 10_000;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let hiding;

/**
 * @param {string} text
 * @param {Page.Choice} [choice] what to offer with it
 */
export function toast(text, choice) {
  const box = $("toast");
  const hide = () => box.hidePopover();
  clearTimeout(hiding);
  box.replaceChildren(text);
  box.classList.toggle("offers", choice !== undefined);
  if (choice) {
    const [label, act] = choice;
    const press = () => {
      hide();
      act();
    };
    box.append(h("button", { type: "button", text: label, on: { click: press } }));
  }
  box.showPopover();
  hiding = setTimeout(hide, choice ? LONG_TOAST : SHORT_TOAST);
  announce(text);
}
