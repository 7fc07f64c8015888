// The settings of memory: what every chat knows, and whether chats are told them at all.

import { h, iconButton, reconcile, within } from "./dom.js";
import { Journal } from "./journal.js";
import { Refused, Socket } from "./socket.js";
import { length } from "./text.js";
import { counted, explain, NOT_FOUND } from "./words.js";

const MAX_LENGTH = 500;
const ABOUT =
  "New chats begin with all of this. A chat that has begun is told of a change with your next message there, and keeps what it was told before.";

export class MemorySettings {
  /** @param {{ socket: Socket, journal: Journal }} parts */
  constructor({ socket, journal }) {
    this.socket = socket;
    this.loaded = false;
    /** @type {Api.MemoryShape[]} */
    this.memories = [];
    /** @type {Map<string, Api.MemoryShape>} */
    this.deleted = new Map(); // what can still be undone, by id
    /** @type {string | null} */
    this.editing = null; // the id of the one that is a field just now
    this.status = h("p", { class: "settings-status", role: "status" });
    this.list = h("ul", { class: "memories", "aria-label": "What is remembered" });
    this.on = this.choice(true);
    this.off = this.choice(false);
    const about = h("small", { text: "In all chats. What is remembered is kept." });
    const legend = h("legend", {}, h("span", { text: "Use memory" }), about);
    const choices = [
      h("label", {}, this.on, h("span", { text: "On" })),
      h("label", {}, this.off, h("span", { text: "Off" })),
    ];
    this.adding = new MemoryField("Add a memory", "Add", (text) => this.add(text));
    this.element = h(
      "div",
      { class: "memory" },
      h("p", { class: "memory-about", text: ABOUT }),
      h(
        "fieldset",
        { class: "setting", data: { name: "memory" } },
        legend,
        h("div", { class: "segmented" }, ...choices),
      ),
      this.adding.element,
      this.list,
      this.status,
    );
    this.stop = journal.on("event", ({ event }) => {
      if (event.type === "CUSTOM" && event.name === "memory.updated" && this.loaded) void this.fetch();
    });
  }

  /** @param {boolean} value */
  choice(value) {
    const input = h("input", { type: "radio", name: "setting-memory", value: String(value), disabled: true });
    input.addEventListener("change", () => void this.switch(value));
    return input;
  }

  load() {
    if (!this.loaded) void this.fetch();
  }

  async fetch() {
    try {
      this.take(await this.socket.call("memory.list", {}));
    } catch {
      if (!this.loaded) this.status.textContent = "Your memory could not be loaded. Open this page again in a moment.";
    }
  }

  /** @param {Api.MemoriesShape} memory */
  take({ enabled, memories }) {
    this.loaded = true;
    this.memories = memories;
    this.on.disabled = this.off.disabled = false;
    this.on.checked = enabled;
    this.off.checked = !enabled;
    this.draw();
  }

  draw() {
    const order = (/** @type {Api.MemoryShape} */ memory) => Date.parse(memory.created_at);
    const shown = [...this.memories, ...this.deleted.values()].sort((a, b) => order(a) - order(b));
    const items = shown.map((memory) => this.item(memory));
    if (!items.length)
      items.push({
        key: "empty",
        version: "",
        build: () => h("li", { class: "empty", text: "Nothing is remembered yet." }),
      });
    reconcile(this.list, items);
  }

  /**
   * @param {Api.MemoryShape} memory
   * @returns {Page.Item}
   */
  item(memory) {
    if (this.deleted.has(memory.id)) return { key: memory.id, version: "deleted", build: () => this.gone(memory) };
    if (this.editing === memory.id) return { key: memory.id, version: "editing", build: () => this.field(memory) };
    return { key: memory.id, version: `memory:${memory.text}`, build: () => this.row(memory) };
  }

  /** @param {Api.MemoryShape} memory */
  row(memory) {
    const { text } = memory;
    const edit = iconButton("edit", `Edit “${text}”`, () => this.edit(memory.id));
    const remove = iconButton("close", `Delete “${text}”`, () => void this.delete(memory));
    return h("li", {}, h("span", { dir: "auto", text }), edit, remove);
  }

  /** @param {Api.MemoryShape} memory */
  gone(memory) {
    const undo = h("button", {
      class: "link-button",
      type: "button",
      text: "Undo",
      on: { click: () => void this.undo(memory) },
    });
    return h("li", { class: "gone" }, h("span", { dir: "auto", text: `Deleted: ${memory.text}` }), undo);
  }

  /** @param {Api.MemoryShape} memory */
  field(memory) {
    const field = new MemoryField("Edit the memory", "Save", (text) => this.save(memory, text), memory.text);
    field.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault(); // else the settings close
      event.stopPropagation();
      this.edit(null, memory.id);
    });
    return h("li", {}, field.element);
  }

  /**
   * Makes a field of a memory, or none of any.
   * @param {string | null} id
   * @param {string | null} back whose row gets the focus again
   */
  edit(id, back = null) {
    this.editing = id;
    this.draw();
    const row = this.node(id ?? back);
    if (row) within(row, id ? "input" : "button").focus();
  }

  /** @param {string | null} id */
  node(id) {
    return [...this.list.children].find((node) => node instanceof HTMLElement && node.dataset.key === id);
  }

  /** @param {string} text */
  async add(text) {
    const { memory } = await this.socket.call("memory.add", { text });
    if (!this.memories.some(({ id }) => id === memory.id)) this.memories = [...this.memories, memory];
    this.draw();
    this.say("Added.");
  }

  /**
   * @param {Api.MemoryShape} memory
   * @param {string} text
   */
  async save({ id }, text) {
    const { memory } = await this.socket.call("memory.update", { memory_id: id, text });
    this.memories = this.memories.map((other) => (other.id === id ? memory : other));
    this.edit(null, memory.id);
    this.say("Saved.");
  }

  /** @param {Api.MemoryShape} memory */
  async delete(memory) {
    await this.attempt(async () => {
      await this.socket.call("memory.delete", { memory_id: memory.id }).catch(unlessGone);
      this.memories = this.memories.filter(({ id }) => id !== memory.id);
      this.deleted.set(memory.id, memory);
      this.draw();
      const row = this.node(memory.id);
      if (row) within(row, "button").focus();
      this.say("");
    });
  }

  /** @param {Api.MemoryShape} gone */
  async undo(gone) {
    await this.attempt(async () => {
      const { memory } = await this.socket.call("memory.add", { text: gone.text });
      this.deleted.delete(gone.id);
      this.memories = [...this.memories.filter(({ id }) => id !== memory.id), memory];
      this.draw();
      const row = this.node(memory.id);
      if (row) within(row, "button").focus();
      this.say("");
    });
  }

  /** @param {boolean} enabled */
  async switch(enabled) {
    await this.attempt(async () => {
      this.take(await this.socket.call("memory.switch", { enabled }));
      this.say(enabled ? "Memory is on." : "Memory is off.");
    });
  }

  /** @param {() => Promise<void>} work */
  async attempt(work) {
    try {
      await work();
    } catch (error) {
      this.say(words(error));
      void this.fetch();
    }
  }

  /** @param {string} text */
  say(text) {
    this.status.textContent = text;
  }
}

/** A line to write a memory in, with a button; what was refused stays in it, with why. */
class MemoryField {
  /**
   * @param {string} label
   * @param {string} done
   * @param {(text: string) => Promise<void>} act
   * @param {string} [text]
   */
  constructor(label, done, act, text = "") {
    this.input = h("input", {
      type: "text",
      dir: "auto",
      "aria-label": label,
      placeholder: label,
      autocomplete: "off",
    });
    this.input.value = text;
    this.problem = h("p", { class: "settings-status", role: "status" });
    const button = h("button", { class: "button", text: done });
    this.element = h("form", { class: "memory-field" }, this.input, button, this.problem);
    this.input.addEventListener("input", () => this.check());
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.check() && this.input.value.trim()) void this.send(act);
    });
  }

  check() {
    const over = length(this.input.value) - MAX_LENGTH;
    this.problem.textContent = over > 0 ? `${counted(over, "character", "characters")} too long` : "";
    this.input.ariaInvalid = String(over > 0);
    return over <= 0;
  }

  /** @param {(text: string) => Promise<void>} act */
  async send(act) {
    try {
      await act(this.input.value);
      this.input.value = "";
    } catch (error) {
      this.problem.textContent = words(error);
    }
  }
}

/** @param {unknown} error */
const words = (error) => (isGone(error) ? "It was deleted in another window." : explain(error));

/** @param {unknown} error */
const isGone = (error) => error instanceof Refused && error.code === NOT_FOUND;

/**
 * Deleted elsewhere: as was wanted.
 * @param {unknown} error
 */
function unlessGone(error) {
  if (!isGone(error)) throw error;
}
