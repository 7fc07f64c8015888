// The menu beside a button, and the question before something is deleted.

import { $, h, icon } from "./dom.js";

/**
 * Opens a menu beside a button. Arrows move, Esc closes, focus goes back.
 * @param {HTMLElement} button
 * @param {Page.MenuEntry[]} entries
 * @param {string} [label] what the menu is of, where the button does not say it
 */
export function openMenu(button, entries, label) {
  const menu = $("menu");
  const leave = () => {
    menu.hidePopover();
    button.focus();
  };
  const items = entries.map((entry) => menuItem(entry, leave));
  // In the landmark of its button; the top layer shows it above everything from anywhere.
  (button.closest("aside, main") ?? document.body).append(menu);
  menu.replaceChildren(...items);
  menu.ariaLabel = label ?? button.ariaLabel;
  menu.onkeydown = (event) => {
    if (event.key === "Tab" || event.key === "Escape") {
      event.preventDefault();
      leave();
    } else moveFocus(event, items);
  };
  menu.ontoggle = ({ newState }) => button.setAttribute("aria-expanded", String(newState === "open"));
  menu.showPopover();
  place(menu, button.getBoundingClientRect());
  focusPresent(items);
}

/**
 * @param {Page.MenuEntry} entry
 * @param {() => void} leave closes the menu
 */
export function menuItem({ label, act, kind, lines = [], checked, isSwitch = false, reason }, leave) {
  const role = isSwitch ? "menuitemcheckbox" : checked === undefined ? "menuitem" : "menuitemradio";
  const small = [...lines, ...(reason ? [reason] : [])].map((line) => h("small", { dir: "auto", text: line }));
  const item = h(
    "button",
    { type: "button", role, tabindex: "-1", class: kind },
    h("span", { class: "menu-words" }, h("span", { dir: "auto", text: label }), ...small),
    checked ? icon("check") : null,
  );
  if (checked !== undefined) item.ariaChecked = String(checked);
  if (reason) item.ariaDisabled = "true";
  item.addEventListener("click", () => {
    if (reason) return;
    leave();
    act();
  });
  return item;
}

/**
 * Puts focus on the item that is the present choice, else on the first.
 * @param {HTMLElement[]} items
 */
export function focusPresent(items) {
  (items.find((item) => item.ariaChecked === "true" && item.role === "menuitemradio") ?? items[0])?.focus();
}

/**
 * What the keys of a menu do.
 * @param {KeyboardEvent} event
 * @param {HTMLElement[]} items
 */
export function moveFocus(event, items) {
  const focused = document.activeElement;
  const at = focused instanceof HTMLElement ? items.indexOf(focused) : -1;
  /** @type {Record<string, number>} */
  const targets = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 };
  const target = targets[event.key];
  if (target === undefined) return;
  event.preventDefault();
  items[target % items.length]?.focus();
}

/**
 * Below or above a button, and towards the middle of the window: a menu in the chat does not cover the list of chats.
 * @param {HTMLElement} menu
 * @param {DOMRect} near
 */
function place(menu, near) {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = near.bottom + 4;
  const left = near.left + near.right < innerWidth ? near.left : near.right - width;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  menu.style.top = `${below + height < innerHeight ? below : Math.max(8, near.top - height - 4)}px`;
}

/**
 * Asks before something that cannot be undone; resolves with whether to do it.
 * @param {{ title: string, text: string, yes: string }} words
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, yes }) {
  const dialog = $("dialog", HTMLDialogElement);
  $("dialog-title").textContent = title;
  $("dialog-text").textContent = text;
  $("dialog-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }),
  );
}
