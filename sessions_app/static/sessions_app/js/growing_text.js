// One text of a running answer, rendered by the server as it grows.

import { h } from "./dom.js";
import { lastCut, presentable } from "./growing.js";
import { Markdown, rendered } from "./markdown.js";
import { morph } from "./morph.js";
import { released } from "./press.js";
import { equip } from "./prose.js";
import { Disconnected, Refused } from "./socket.js";

/** Rendering takes at most a third of the time: after each answer, twice as long as it took, and never less (ms). */
const REST = 2;
const LEAST = 60;

/** @param {number} milliseconds */
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * What can no longer change is rendered once and left alone (`done` characters of it, `settled` nodes); only the tail
 * is rendered again, without what may still become something else, and of it only what has changed is put into the
 * page. One request is under way at a time; the next takes what has come until then.
 */
export class GrowingText {
  /** @param {Markdown} markdown */
  constructor(markdown) {
    this.markdown = markdown;
    this.wanted = "";
    this.over = false;
    /** @type {string | null} */
    this.shown = null;
    this.shownOver = false;
    this.done = 0;
    this.settled = 0;
    this.busy = false;
    this.stopped = false;
    this.element = h("div", { class: "prose", dir: "auto" });
  }

  /**
   * @param {string} text
   * @param {boolean} over
   */
  grow(text, over) {
    this.wanted = text;
    this.over = over;
    if (!this.busy) this.work();
  }

  /** Leaves the element to somebody else. */
  stop() {
    this.stopped = true;
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
    await released();
    if (this.stopped) return;
    const settled = rendered(final);
    const growing = rendered(tail);
    const count = settled.childNodes.length;
    settled.append(...growing.childNodes);
    this.showTail(settled);
    this.settled += count;
    this.done = cut;
    this.shown = text;
    this.shownOver = over;
  }

  /**
   * Puts this in the place of all that is not settled.
   * @param {HTMLElement} fresh
   */
  showTail(fresh) {
    const before = this.element.children.length;
    morph(this.element, fresh, this.settled);
    for (const child of [...this.element.children].slice(before)) child.classList.add("fresh");
    equip(this.element, true);
  }

  /**
   * @param {string} text
   * @param {boolean} over
   */
  showPlain(text, over) {
    if (this.stopped) return;
    this.showTail(h("div", {}, h("div", { class: "plain-text", text: text.slice(this.done) })));
    this.shown = text;
    this.shownOver = over;
  }
}
