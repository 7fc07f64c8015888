// What "…" under an answer opens: when and by which model it was written, and what it cost; for staff also what the cache did.

import { $, h } from "./dom.js";
import { factList, staffRows, userRows } from "./usage.js";
import { when } from "./words.js";

let made = 0;

/**
 * Puts beside a button what it opens, and has it opened.
 * @param {HTMLButtonElement} button
 * @param {Page.Message} message the last one of an answer
 */
export function openDetails(button, { created_at, model, ledger }) {
  made += 1;
  const id = `details-${made}`;
  const time = h("time", { datetime: created_at, text: when(created_at).long });
  const list = factList([["Model", model ?? ledger?.model ?? null], ...(ledger ? userRows(ledger) : [])]);
  list.prepend(h("dt", { text: "Written" }), h("dd", {}, time));
  const more =
    ledger && "staff" in $("thread").dataset ? [h("h3", { text: "For staff" }), factList(staffRows(ledger))] : [];
  const box = h(
    "div",
    { class: "menu details", id, popover: "auto", role: "group", "aria-label": "Details" },
    list,
    ...more,
  );
  box.addEventListener("toggle", ({ newState }) => button.setAttribute("aria-expanded", String(newState === "open")));
  button.after(box);
  button.popoverTargetElement = box;
  button.click(); // only what is opened by its button has its place beside it
}
