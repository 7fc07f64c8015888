// The running answer on the screen: text that grows and is rendered by the server as it grows, tools, reasoning.

import { answerElement, fillAnswer } from "./answer.js";
import { h, icon } from "./dom.js";
import { GrowingText } from "./growing_text.js";
import { Markdown } from "./markdown.js";
import { blocksOf, runningParts } from "./parts.js";
import { Run } from "./run.js";
import { SUMMARISING } from "./words.js";

/** Seconds of waiting from which on they are said. */
const LONG_WAIT = 10;

export class StreamView {
  /**
   * @param {Markdown} markdown
   * @param {string} asked the id of the message that is answered
   * @param {() => void} stop ends the run
   */
  constructor(markdown, asked, stop) {
    this.markdown = markdown;
    this.asked = asked;
    /** @type {Map<string, GrowingText>} */
    this.texts = new Map();
    this.waiting = new WaitingLine(stop);
    this.element = answerElement();
    this.element.setAttribute("aria-busy", "true");
    this.element.append(this.waiting.element);
  }

  /**
   * @param {Run} run
   * @param {Page.Message[]} stored its steps that are part of the transcript already
   */
  show(run, stored) {
    const parts = runningParts([...stored, ...run.stored], run.parts, run.progress);
    const last = parts.at(-1);
    fillAnswer(
      this.element,
      blocksOf(parts, this.asked),
      (part) => this.text(part.id).element,
      () => "growing",
    );
    for (const part of parts) if (part.kind === "text") this.texts.get(part.id)?.grow(part.text, part !== last);
    this.waiting.show(!last || last.done || (last.kind === "text" && !last.text), run.compacting);
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
    this.waiting.show(false, false);
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
  /** @param {() => void} stop */
  constructor(stop) {
    this.words = h("span");
    this.stop = h("button", { class: "link-button", type: "button", text: "Stop", on: { click: stop } });
    this.element = h("div", { class: "shimmer" }, icon("thought"), this.words, this.stop);
    this.what = "";
    this.since = 0;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
  }

  /**
   * @param {boolean} isWaiting
   * @param {boolean} isCompacting while the chat is summarised, which can be stopped here too
   */
  show(isWaiting, isCompacting) {
    this.begin(isCompacting ? SUMMARISING : "Thinking …");
    if (isWaiting) this.timer ??= setInterval(() => this.tick(), 1000);
    else this.end();
    this.stop.hidden = !isCompacting;
    this.element.hidden = !isWaiting;
  }

  /** @param {string} what is waited for */
  begin(what) {
    if (this.timer !== undefined && this.what === what) return;
    this.what = what;
    this.since = Date.now();
    this.words.textContent = what;
  }

  end() {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  tick() {
    const seconds = Math.floor((Date.now() - this.since) / 1000);
    if (seconds >= LONG_WAIT) this.words.textContent = `${this.what} ${seconds} s`;
    if (!this.element.isConnected) clearInterval(this.timer);
  }
}
