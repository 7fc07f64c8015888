// The scrolled box of the conversation: stays at the end while the reader is there, and stands still otherwise.

import { $ } from "./dom.js";

/** Pixels from the end that still count as being there. */
const NEAR = 48;
/** Pixels from the top at which older messages are fetched. */
const EARLY = 600;

export class Scroll extends EventTarget {
  constructor() {
    super();
    this.box = $("scroller");
    this.content = $("thread");
    this.jump = $("jump");
    this.atEnd = true;
    this.box.addEventListener("scroll", () => this.look(), { passive: true });
    this.jump.addEventListener("click", () => this.toEnd());
    const observer = new ResizeObserver(() => this.settle());
    observer.observe(this.content);
    observer.observe(this.box);
  }

  look() {
    this.atEnd = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR;
    this.jump.hidden = this.atEnd;
    if (this.box.scrollTop < EARLY) this.dispatchEvent(new Event("top"));
  }

  settle() {
    if (this.atEnd) this.box.scrollTop = this.box.scrollHeight;
    this.look();
  }

  toEnd() {
    this.atEnd = true;
    this.settle();
    this.box.focus({ preventScroll: true });
  }

  /** Begins a conversation: at its end, wherever the last one was. */
  reset() {
    this.atEnd = true;
    this.settle();
  }

  /** Changes the content while what is read stays where it is on the screen. */
  still(change) {
    if (this.atEnd) {
      change();
      this.settle();
      return;
    }
    const top = this.box.getBoundingClientRect().top;
    const anchor = [...this.content.children].find((node) => node.getBoundingClientRect().bottom > top);
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (anchor?.isConnected) this.box.scrollTop += anchor.getBoundingClientRect().top - before;
    this.look();
  }

  /** Brings one message to the middle and lights it up for a moment. */
  show(node) {
    this.atEnd = false;
    node.scrollIntoView({ block: "center" });
    node.classList.add("flash");
    node.addEventListener("animationend", () => node.classList.remove("flash"), { once: true });
    node.focus({ preventScroll: true });
    this.look();
  }
}
