// The menu of a chat and the question before something is deleted.

import { $, h } from "./dom.js";

/** Opens the menu beside a button: `entries` are [label, act, class?]. Arrows move, Esc closes, focus goes back. */
export function openMenu(button, entries) {
  const menu = $("menu");
  const items = entries.map(([label, act, kind]) => {
    const item = h("button", { type: "button", role: "menuitem", tabindex: "-1", class: kind, text: label });
    item.addEventListener("click", () => {
      menu.hidePopover();
      button.focus();
      act();
    });
    return item;
  });
  menu.replaceChildren(...items);
  menu.onkeydown = (event) => moveFocus(event, items, menu, button);
  menu.ontoggle = ({ newState }) => button.setAttribute("aria-expanded", String(newState === "open"));
  menu.showPopover();
  place(menu, button.getBoundingClientRect());
  items[0].focus();
}

function moveFocus(event, items, menu, button) {
  const at = items.indexOf(document.activeElement);
  const target = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key];
  if (target !== undefined) {
    event.preventDefault();
    items[target % items.length].focus();
  } else if (event.key === "Tab" || event.key === "Escape") {
    event.preventDefault();
    menu.hidePopover();
    button.focus();
  }
}

function place(menu, near) {
  const { width, height } = menu.getBoundingClientRect();
  const below = near.bottom + 4;
  menu.style.left = `${Math.max(8, Math.min(near.right - width, innerWidth - width - 8))}px`;
  menu.style.top = `${below + height < innerHeight ? below : Math.max(8, near.top - height - 4)}px`;
}

/** Asks before something that cannot be undone; resolves with whether to do it. */
export function confirm({ title, text, yes }) {
  const dialog = $("dialog");
  $("dialog-title").textContent = title;
  $("dialog-text").textContent = text;
  $("dialog-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }),
  );
}
