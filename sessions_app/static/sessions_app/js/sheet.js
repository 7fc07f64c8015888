// A choice between several with a few words each: a menu beside its button; on small screens a sheet at the thumb.

import { h, iconButton } from "./dom.js";
import { focusPresent, menuItem, moveFocus, openMenu } from "./popups.js";

const SMALL = "(width < 50rem)";

/**
 * @param {HTMLElement} button
 * @param {Page.MenuEntry[]} entries
 * @param {string} label what is chosen
 */
export function openChoice(button, entries, label) {
  if (matchMedia(SMALL).matches) openSheet(button, entries, label);
  else openMenu(button, entries, label);
}

/**
 * A modal dialog keeps the focus, and Esc or the phone's own way back closes it; so does a tap beside it.
 * @param {HTMLElement} button
 * @param {Page.MenuEntry[]} entries
 * @param {string} label
 */
function openSheet(button, entries, label) {
  const leave = () => {
    sheet.close();
    button.focus(); // what had it before may go with the choice
  };
  const items = entries.map((entry) => menuItem(entry, leave));
  const list = h("div", { role: "menu", "aria-label": label }, ...items);
  const close = iconButton("close", "Close", () => sheet.close());
  const sheet = h("dialog", { class: "dialog sheet", "aria-label": label }, h("h2", { text: label }), close, list);
  list.addEventListener("keydown", (event) => moveFocus(event, items));
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
  sheet.addEventListener("close", () => {
    button.ariaExpanded = "false";
    sheet.remove();
  });
  document.body.append(sheet);
  sheet.showModal();
  button.ariaExpanded = "true";
  focusPresent(items);
}
