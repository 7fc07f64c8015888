// The form for instructions that every new chat begins with. They are kept by the server, at an address of their own.

import { h } from "./dom.js";
import { length } from "./text.js";
import { counted } from "./words.js";

const ADDRESS = "accounts/instructions/";
const MAX_LENGTH = 4_000;
const FAILED = "That did not work. Your text is still here: try again in a moment.";

/** @type {string | null} */
let unsaved = null; // what was written and not saved, until this page goes

export class InstructionsForm {
  constructor() {
    this.loaded = false;
    this.box = h("textarea", {
      id: "instructions",
      rows: "8",
      dir: "auto",
      disabled: true,
      "aria-describedby": "instructions-about instructions-status",
    });
    this.status = h("p", { class: "settings-status", id: "instructions-status", role: "status" });
    this.button = h("button", { class: "button", text: "Save", disabled: true });
    this.element = h(
      "form",
      { class: "instructions" },
      h("label", { for: "instructions", text: "What should Hermes know or do in every new chat?" }),
      h("p", { id: "instructions-about", text: "Chats that have begun keep the instructions they began with." }),
      this.box,
      this.status,
      this.button,
    );
    this.box.addEventListener("input", () => {
      unsaved = this.box.value;
      this.check();
    });
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    });
  }

  async load() {
    if (this.loaded) return;
    try {
      const answer = await fetch(ADDRESS, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new TypeError(answer.statusText);
      /** @type {{ text: string }} */
      const { text } = await answer.json();
      this.loaded = true;
      this.box.value = unsaved ?? text;
      this.box.disabled = false;
      this.check();
      if (unsaved !== null && unsaved !== text) this.status.textContent ||= "Not saved yet.";
    } catch {
      this.status.textContent = "Your instructions could not be loaded. Open this page again in a moment.";
    }
  }

  check() {
    const left = MAX_LENGTH - length(this.box.value);
    this.button.disabled = left < 0;
    this.box.ariaInvalid = String(left < 0);
    this.status.textContent = left < 0 ? `${counted(-left, "character", "characters")} too long` : "";
  }

  async save() {
    const token = document.querySelector('[name="csrfmiddlewaretoken"]');
    const headers = {
      "Content-Type": "application/json",
      "X-CSRFToken": token instanceof HTMLInputElement ? token.value : "",
    };
    this.button.disabled = true;
    try {
      const text = this.box.value;
      const { ok } = await fetch(ADDRESS, { method: "PUT", headers, body: JSON.stringify({ text }) });
      this.status.textContent = ok ? "Saved. New chats begin with it." : FAILED;
      if (ok && unsaved === text) unsaved = null;
    } catch {
      this.status.textContent = FAILED;
    }
    this.button.disabled = false;
  }
}
