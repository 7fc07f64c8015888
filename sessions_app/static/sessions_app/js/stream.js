// The running answer on the screen: text that grows and is rendered by the server as it grows, tools, reasoning.

import { answerElement, fillAnswer } from "./answer.js";
import { h, icon } from "./dom.js";
import { GrowingText } from "./growing_text.js";
import { Markdown } from "./markdown.js";
import { blocksOf, runningParts } from "./parts.js";
import { Run } from "./run.js";

/** Seconds of waiting from which on they are said. */
const LONG_WAIT = 10;

export class StreamView {
  /**
   * @param {Markdown} markdown
   * @param {string} asked the id of the message that is answered
   */
  constructor(markdown, asked) {
    this.markdown = markdown;
    this.asked = asked;
    /** @type {Map<string, GrowingText>} */
    this.texts = new Map();
    this.waiting = new WaitingLine();
    this.element = answerElement();
    this.element.setAttribute("aria-busy", "true");
    this.element.append(this.waiting.element);
  }

  /**
   * @param {Run} run
   * @param {Page.Message[]} stored its steps that are part of the transcript already
   */
  show(run, stored) {
    const parts = runningParts([...stored, ...run.stored], run.parts);
    const last = parts.at(-1);
    fillAnswer(
      this.element,
      blocksOf(parts, this.asked),
      (part) => this.text(part.id).element,
      () => "growing",
    );
    for (const part of parts) if (part.kind === "text") this.texts.get(part.id)?.grow(part.text, part !== last);
    this.waiting.show(!last || last.done || (last.kind === "text" && !last.text));
  }

  /**
   * Whether one of these blocks is shown here.
   * @param {Page.Block[]} blocks
   */
  has(blocks) {
    const keys = new Set(
      [...this.element.querySelectorAll(".parts > [data-key]")].map((node) => node.getAttribute("data-key")),
    );
    return blocks.some(({ key }) => keys.has(key));
  }

  /** Hands over the element, of an answer that is stored by now, with what is rendered of it. */
  leave() {
    for (const text of this.texts.values()) text.stop();
    this.waiting.show(false);
    this.waiting.element.remove();
    this.element.removeAttribute("aria-busy");
    return this.element;
  }

  /** @param {string} id */
  text(id) {
    const text = new GrowingText(this.markdown);
    this.texts.set(id, text);
    return text;
  }
}

/** One line while there is nothing to read, with the seconds where it takes long. */
class WaitingLine {
  constructor() {
    this.words = h("span", { text: "Thinking …" });
    this.element = h("div", { class: "shimmer" }, icon("thought"), this.words);
    this.since = 0;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
  }

  /** @param {boolean} isWaiting */
  show(isWaiting) {
    if (isWaiting && this.timer === undefined) {
      this.since = Date.now();
      this.words.textContent = "Thinking …";
      this.timer = setInterval(() => this.tick(), 1000);
    } else if (!isWaiting) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
    this.element.hidden = !isWaiting;
  }

  tick() {
    const seconds = Math.floor((Date.now() - this.since) / 1000);
    if (seconds >= LONG_WAIT) this.words.textContent = `Thinking … ${seconds} s`;
    if (!this.element.isConnected) clearInterval(this.timer);
  }
}
