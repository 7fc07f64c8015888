// A user's message, or a summary, that is being edited, in its place.

import { toast } from "./announce.js";
import { h } from "./dom.js";
import { Emitter } from "./events.js";
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
 * Which message is being edited, and how. Tells "change" when that is another message or text, "sent" with the new text
 * (it goes on until `end`), and "left" with the message's id when it is given up.
 * @extends {Emitter<{ change: undefined, sent: { id: string, text: string }, left: string }>}
 */
export class Editing extends Emitter {
  /** @param {number} maxText characters */
  constructor(maxText) {
    super();
    this.maxText = maxText;
    /** @type {string | null} */
    this.of = null; // the message's id
    this.isSummary = false;
    this.before = "";
    this.text = "";
  }

  /**
   * @param {Page.Message} message
   * @param {string} [text] what was written in its place before
   */
  begin(message, text = message.text) {
    this.of = message.id;
    this.isSummary = message.kind === "summary";
    this.before = message.text;
    this.text = text;
    this.tell("change");
  }

  /** What was written; nothing where that is what the message says. */
  get changes() {
    return this.of === null || this.text === this.before ? "" : this.text;
  }

  end() {
    this.suspend();
    this.tell("change");
  }

  /** Ends it here: whoever has heard of the changes may begin it again. */
  suspend() {
    this.of = null;
  }

  /**
   * @param {string} id of the message that is edited
   * @returns {Page.Item}
   */
  item(id) {
    return { key: id, version: "editing", build: () => this.build(id) };
  }

  /** @param {string} id */
  build(id) {
    const words = this.isSummary ? WORDS.summary : WORDS.message;
    const box = h("textarea", { "aria-label": words.label, dir: "auto", enterkeyhint: "enter" });
    const send = h("button", { class: "button small", text: words.send });
    const cancel = h("button", { class: "button quiet small", type: "button", text: "Cancel" });
    const note = h("p", { text: words.note });
    const form = h("form", { class: "editor" }, box, h("div", { class: "editor-foot" }, note, cancel, send));
    const take = () => {
      this.text = box.value;
      send.disabled = !this.text.trim();
    };
    box.value = this.text;
    box.rows = Math.min(LINES, this.text.split("\n").length);
    take();
    box.addEventListener("input", () => {
      take();
      this.tell("change");
    });
    cancel.addEventListener("click", () => this.leave(id));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.leave(id);
      else if (event.target === box && isSendKey(event)) form.requestSubmit();
      else return;
      event.preventDefault();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      box.value = cleaned(box.value);
      take();
      this.submit(id);
    });
    if (this.isSummary) return h("div", { class: "divider" }, form);
    return h("article", { class: "message user" }, h("h2", { class: "visually-hidden", text: "You said" }), form);
  }

  /** @param {string} id */
  submit(id) {
    const { text } = this;
    const excess = length(text) - this.maxText;
    if (excess > 0) toast(`The text is ${counted(excess, "character", "characters")} too long.`);
    else if (text.trim()) this.tell("sent", { id, text });
  }

  /** @param {string} id */
  leave(id) {
    this.end();
    this.tell("left", id);
  }
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
