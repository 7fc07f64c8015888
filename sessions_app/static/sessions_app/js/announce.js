// What happens, said twice: to screen readers in a live region, and briefly to everybody as a toast.

import { $ } from "./dom.js";

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

/** @type {ReturnType<typeof setTimeout> | undefined} */
let hiding;

/** @param {string} text */
export function toast(text) {
  const box = $("toast");
  box.textContent = text;
  box.showPopover();
  clearTimeout(hiding);
  hiding = setTimeout(() => box.hidePopover(), 3500);
  announce(text);
}
