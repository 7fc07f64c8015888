// The running answer on the screen: text that grows and is rendered by the server as it grows, tools, reasoning.

import { h, reconcile, within } from "./dom.js";
import { lastCut, presentable } from "./growing.js";
import { Markdown, put } from "./markdown.js";
import { thoughtFold, toolFold } from "./message.js";
import { Run } from "./run.js";
import { Disconnected, Refused } from "./socket.js";

/** Rendering takes at most a third of the time: after each answer, twice as long as it took, and never less (ms). */
const REST = 2;
const LEAST = 60;

/** @param {number} milliseconds */
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class StreamView {
  /** @param {Markdown} markdown */
  constructor(markdown) {
    this.markdown = markdown;
    /** @type {Map<string, GrowingText>} */
    this.texts = new Map();
    this.parts = h("div", { class: "parts" });
    this.thinking = h(
      "div",
      { class: "thinking" },
      h("i"),
      h("i"),
      h("i"),
      h("span", { class: "visually-hidden", text: "Hermes is working" }),
    );
    this.element = h(
      "article",
      { class: "message assistant", "aria-busy": "true" },
      h("h2", { class: "visually-hidden", text: "Hermes says" }),
      this.parts,
      this.thinking,
    );
  }

  /** @param {Run} run */
  show(run) {
    this.keepingFolds(() =>
      reconcile(
        this.parts,
        run.parts.map((part) => this.item(part)),
      ),
    );
    const last = run.parts.at(-1);
    for (const part of run.parts) if (part.kind === "text") this.texts.get(part.id)?.grow(part.text, part !== last);
    this.thinking.hidden = last !== undefined && !last.done && last.kind !== "tool";
  }

  /**
   * Hands over the element of a text that is stored by now, with what is rendered of it; undefined where there is none.
   * @param {string} id
   */
  leave(id) {
    const text = this.texts.get(id);
    text?.stop();
    return text?.element;
  }

  /**
   * A fold is built anew when it changes: what is open stays open, and focus stays where it is.
   * @param {() => void} change
   */
  keepingFolds(change) {
    /** @returns {NodeListOf<HTMLDetailsElement>} */
    const folds = () => this.parts.querySelectorAll("details[data-key]");
    const open = new Set([...folds()].filter((node) => node.open).map((node) => node.dataset.key));
    /** @type {HTMLDetailsElement | null | undefined} */
    const around = document.activeElement?.closest("details[data-key]");
    const focused = around?.dataset.key;
    change();
    for (const node of folds()) {
      node.open = open.has(node.dataset.key);
      if (focused === node.dataset.key && !node.contains(document.activeElement)) within(node, "summary").focus();
    }
  }

  /**
   * @param {Page.Part} part
   * @returns {Page.Item}
   */
  item(part) {
    const key = `${part.kind}:${part.id}`;
    if (part.kind === "text") return { key, version: "", build: () => this.text(part.id).element };
    const version = `${part.length}:${part.done}`;
    const build = () =>
      part.kind === "tool"
        ? toolFold(part.name ?? "", part.text, part.result, false)
        : thoughtFold(part.text, part.done);
    return { key, version, build };
  }

  /** @param {string} id */
  text(id) {
    const text = new GrowingText(this.markdown);
    this.texts.set(id, text);
    return text;
  }
}

/**
 * One text that grows. What can no longer change is rendered once and left alone (`done` characters of it); only the tail
 * is rendered again, without what may still become something else. One request is under way at a time; the next takes
 * what has come until then.
 */
class GrowingText {
  /** @param {Markdown} markdown */
  constructor(markdown) {
    this.markdown = markdown;
    this.wanted = "";
    this.over = false;
    /** @type {string | null} */
    this.shown = null;
    this.shownOver = false;
    this.done = 0;
    this.busy = false;
    this.stopped = false;
    this.tail = h("div", { class: "piece tail" });
    this.element = h("div", { class: "prose writing", dir: "auto" }, this.tail);
  }

  /**
   * @param {string} text
   * @param {boolean} over
   */
  grow(text, over) {
    this.wanted = text;
    this.over = over;
    this.element.classList.toggle("writing", !over);
    if (!this.busy) this.work();
  }

  /** Leaves the element to somebody else. */
  stop() {
    this.stopped = true;
    this.element.classList.remove("writing");
  }

  async work() {
    this.busy = true;
    while (!this.stopped && (this.shown !== this.wanted || this.shownOver !== this.over)) {
      const begun = performance.now();
      try {
        await this.render(this.wanted, this.over);
      } catch (error) {
        if (error instanceof Disconnected) await this.markdown.socket.ready();
        else if (error instanceof Refused && error.data.retry_after) await wait(error.data.retry_after * 1000);
        else this.showPlain(this.wanted, this.over);
      }
      await wait(Math.max(LEAST, REST * (performance.now() - begun)));
    }
    this.busy = false;
  }

  /**
   * @param {string} text
   * @param {boolean} over
   */
  async render(text, over) {
    const cut = lastCut(text, this.done);
    const rest = text.slice(cut);
    const [final = "", tail = ""] = await this.markdown.renderNow([
      text.slice(this.done, cut),
      over ? rest : presentable(rest),
    ]);
    if (this.stopped) return;
    const opened = [...this.tail.querySelectorAll("details")].map((fold) => fold.open);
    const piece = h("div", { class: "piece" });
    put(piece, final);
    put(this.tail, tail);
    for (const [number, fold] of [
      ...piece.querySelectorAll("details"),
      ...this.tail.querySelectorAll("details"),
    ].entries()) {
      fold.open = opened[number] ?? fold.open;
    }
    if (cut > this.done) this.tail.before(piece);
    this.done = cut;
    this.shown = text;
    this.shownOver = over;
  }

  /**
   * @param {string} text
   * @param {boolean} over
   */
  showPlain(text, over) {
    if (this.stopped) return;
    this.tail.textContent = text.slice(this.done);
    this.tail.classList.add("plain-text");
    this.shown = text;
    this.shownOver = over;
  }
}
