// Which message is being edited, or which summary, and what was written; its field is editor_form.js.

import { Emitter } from "./events.js";

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

  /** @param {string} id */
  leave(id) {
    this.end();
    this.tell("left", id);
  }
}
