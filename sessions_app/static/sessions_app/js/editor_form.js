// The field of a message, or of a summary, that is being edited, in its place.

import { toast } from "./announce.js";
import { h } from "./dom.js";
import { Editing } from "./editing.js";
import { isSendKey } from "./send_key.js";
import { cleaned, length } from "./text.js";
import { counted } from "./words.js";

const WORDS = {
  message: {
    label: "Edit your message",
    send: "Send",
    note: "The message gets a new answer. The old one stays, with all that came after it.",
  },
  summary: {
    label: "Edit the summary",
    send: "Save",
    note: "From its next answer on the model reads this in the place of the earlier messages.",
  },
};

/** Lines that are shown at once, where the browser does not fit the field to its text. */
const LINES = 12;

/**
 * @param {Editing} editing of this message
 * @param {string} id
 * @returns {Page.Item}
 */
export const editorItem = (editing, id) => ({ key: id, version: "editing", build: () => editor(editing, id) });

/**
 * @param {Editing} editing
 * @param {string} id of the message that is edited
 */
function editor(editing, id) {
  const words = editing.isSummary ? WORDS.summary : WORDS.message;
  const box = h("textarea", { "aria-label": words.label, dir: "auto", enterkeyhint: "enter" });
  const send = h("button", { class: "button small", text: words.send });
  const cancel = h("button", { class: "button quiet small", type: "button", text: "Cancel" });
  const note = h("p", { text: words.note });
  const form = h("form", { class: "editor" }, box, h("div", { class: "editor-foot" }, note, cancel, send));
  const take = () => {
    editing.text = box.value;
    send.disabled = !editing.text.trim();
  };
  box.value = editing.text;
  box.rows = Math.min(LINES, editing.text.split("\n").length);
  take();
  box.addEventListener("input", () => {
    take();
    editing.tell("change");
  });
  cancel.addEventListener("click", () => editing.leave(id));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") editing.leave(id);
    else if (event.target === box && isSendKey(event)) form.requestSubmit();
    else return;
    event.preventDefault();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    box.value = cleaned(box.value);
    take();
    submit(editing, id);
  });
  if (editing.isSummary) return h("div", { class: "divider" }, form);
  return h("article", { class: "message user" }, h("h2", { class: "visually-hidden", text: "You said" }), form);
}

/**
 * @param {Editing} editing
 * @param {string} id
 */
function submit(editing, id) {
  const { text } = editing;
  const excess = length(text) - editing.maxText;
  if (excess > 0) toast(`The text is ${counted(excess, "character", "characters")} too long.`);
  else if (text.trim()) editing.tell("sent", { id, text });
}

/**
 * Lets somebody go on with what is written in a field.
 * @param {HTMLTextAreaElement} box
 */
export function focusEnd(box) {
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
  box.scrollIntoView({ block: "nearest" });
}
