// Copying, also where the page is served without HTTPS and the browser hides its clipboard.

import { announce } from "./announce.js";
import { h, icon, within } from "./dom.js";

/**
 * Rejects where the browser does not allow it.
 * @param {string} text
 * @param {HTMLElement} [box] the dialog that is open, where one is: of the rest of the page nothing can be selected
 */
export async function copy(text, box = document.body) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = h("textarea", { class: "visually-hidden" });
  const before = document.activeElement;
  area.value = text;
  box.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  if (!done) throw new Error("copy");
}

/**
 * Copies, and says on the button for a moment whether it worked.
 * @param {HTMLElement} button
 * @param {string} text
 * @param {HTMLElement | null} label what shows the button's words, where it has some
 */
export async function copyFrom(button, text, label = null) {
  const drawing = within(button, ".icon", SVGElement);
  const words = label?.textContent ?? "";
  let worked = true;
  await copy(text).catch(() => {
    worked = false;
  });
  announce(worked ? "Copied" : "The browser does not allow copying");
  drawing.replaceWith(icon(worked ? "check" : "warning"));
  if (label) label.textContent = worked ? "Copied" : "Not allowed";
  setTimeout(() => {
    within(button, ".icon", SVGElement).replaceWith(drawing);
    if (label) label.textContent = words;
  }, 1800);
}
