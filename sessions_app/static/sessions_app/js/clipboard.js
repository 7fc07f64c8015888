// Copying, also where the page is served without HTTPS and the browser hides its clipboard.

import { announce } from "./announce.js";
import { h, icon } from "./dom.js";

async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = h("textarea", { class: "visually-hidden" });
  const before = document.activeElement;
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  before?.focus();
  if (!done) throw new Error("copy");
}

/** Copies, and says on the button for a moment whether it worked. `label` is a text node's parent, or null. */
export async function copyFrom(button, text, label = null) {
  const [drawing, words] = [button.querySelector(".icon"), label?.textContent];
  let worked = true;
  await copy(text).catch(() => (worked = false));
  announce(worked ? "Copied" : "The browser does not allow copying");
  drawing.replaceWith(icon(worked ? "check" : "warning"));
  if (label) label.textContent = worked ? "Copied" : "Not allowed";
  setTimeout(() => {
    button.querySelector(".icon").replaceWith(drawing);
    if (label) label.textContent = words;
  }, 1800);
}
