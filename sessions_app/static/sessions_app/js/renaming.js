// A field in the place of a chat's title.

import { h } from "./dom.js";

const TITLE_LENGTH = 200;

/**
 * The field stays, with what was typed, until the server has the title.
 * @param {string} title
 * @param {HTMLElement} shown what shows the title now
 * @param {(title: string) => Promise<boolean>} save resolves with whether it worked
 */
export function rename(title, shown, save) {
  const input = h("input", {
    class: "rename",
    "aria-label": "New title",
    maxlength: String(TITLE_LENGTH),
    dir: "auto",
  });
  input.value = title;
  const close = () => {
    const focused = document.activeElement === input;
    shown.hidden = false;
    if (focused) shown.focus();
    input.remove();
  };
  const end = async () => {
    if (input.readOnly) return; // under way, or taken out of the page, which blurs it
    const written = input.value.trim();
    input.readOnly = true;
    if (!written || written === title || (await save(written))) close();
    else input.readOnly = false;
  };
  input.addEventListener("keydown", (event) => {
    if (!["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    if (event.key === "Enter") end();
    else {
      input.readOnly = true;
      close();
    }
  });
  input.addEventListener("blur", end);
  shown.hidden = true;
  shown.after(input);
  input.focus();
  input.select();
}
