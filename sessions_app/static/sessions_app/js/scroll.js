// The scrolled box of the conversation: stays at the end while the reader is there, and stands still otherwise.

import { $ } from "./dom.js";
import { Emitter } from "./events.js";
import { whenReleased } from "./press.js";

/** Pixels from the end at which one who comes back is there again. */
const NEAR = 8;
/** Pixels from the end within which there is nothing to jump to. */
const CLOSE = 48;
/** Keys that go up. */
const UPWARD = ["ArrowUp", "PageUp", "Home"];
/** Pixels from an end at which more messages are fetched. */
const EARLY = 600;

/**
 * Tells "top" when older messages are about to come into view, or would fit; "bottom" likewise where there are newer
 * ones (`isPart`), and "latest" when somebody wants to be at the end of those.
 * @extends {Emitter<{ top: undefined, bottom: undefined, latest: undefined }>}
 */
export class Scroll extends Emitter {
  constructor() {
    super();
    this.box = $("scroller");
    this.content = $("thread");
    this.jump = $("jump");
    this.atEnd = true;
    this.top = 0;
    this.height = 0;
    this.room = 0;
    this.touched = 0; // where the finger is
    this.isPart = false; // the content ends before the conversation does: its end is no place to stay at
    this.held = false; // the next change of size leaves the place alone
    this.box.addEventListener("scroll", () => this.reach(), { passive: true });
    this.jump.addEventListener("click", () => (this.isPart ? this.tell("latest") : this.toEnd()));
    this.box.addEventListener("wheel", ({ deltaY }) => deltaY < 0 && this.leaveEnd(), { passive: true });
    this.box.addEventListener("keydown", ({ key }) => UPWARD.includes(key) && this.leaveEnd());
    this.box.addEventListener("touchstart", ({ touches }) => this.touch(touches), { passive: true });
    this.box.addEventListener("touchmove", ({ touches }) => this.touch(touches) > 0 && this.leaveEnd(), {
      passive: true,
    });
    const observer = new ResizeObserver(() => this.settle());
    observer.observe(this.content);
    observer.observe(this.box);
  }

  /** Whoever means to go up is let go at once, however little they move. */
  leaveEnd() {
    if (this.box.scrollTop > 0) this.atEnd = false;
  }

  /**
   * Returns how far down the finger has moved.
   * @param {TouchList} touches
   */
  touch(touches) {
    const before = this.touched;
    this.touched = touches[0]?.clientY ?? 0;
    return this.touched - before;
  }

  /** Going up leaves the end, coming back down to it returns: content or a box that grows or shrinks does neither. */
  look() {
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    const left = scrollHeight - scrollTop - clientHeight;
    if (this.isPart) this.atEnd = false;
    else if (left < NEAR && scrollTop > this.top) this.atEnd = true;
    else if (scrollTop < this.top && scrollHeight === this.height && clientHeight === this.room) this.atEnd = false;
    this.top = scrollTop;
    this.height = scrollHeight;
    this.room = clientHeight;
    this.jump.hidden = this.atEnd || (left < CLOSE && !this.isPart);
    if (this.jump.hidden) this.jump.classList.remove("news");
  }

  /** Marks that there is more to read at the end, where the reader is not. */
  tellNews() {
    if (!this.atEnd) this.jump.classList.add("news");
  }

  reach() {
    this.look();
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    if (scrollTop < EARLY) this.tell("top");
    if (this.isPart && scrollHeight - scrollTop - clientHeight < EARLY) this.tell("bottom");
  }

  settle() {
    whenReleased(this.settleNow);
  }

  settleNow = () => {
    if (this.atEnd && !this.held) this.box.scrollTop = this.box.scrollHeight;
    this.held = false;
    this.reach();
  };

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

  /**
   * Changes the content while what is read stays where it is on the screen.
   * @param {() => void} change
   */
  still(change) {
    this.look();
    if (this.atEnd) {
      change();
      this.settle();
      return;
    }
    const top = this.box.getBoundingClientRect().top;
    const anchor = [...this.content.children].find((node) => node.getBoundingClientRect().bottom > top);
    const before = anchor?.getBoundingClientRect().top ?? 0;
    change();
    if (anchor?.isConnected) this.box.scrollTop += anchor.getBoundingClientRect().top - before;
    this.reach();
  }

  /**
   * Changes the content while one element, and then what takes its place, stays where it is on the screen: at the end of
   * the content too.
   * @param {HTMLElement} element
   * @param {() => void} change
   * @param {() => Element | null | undefined} successor
   */
  hold(element, change, successor) {
    const before = element.getBoundingClientRect().top;
    change();
    const after = successor()?.getBoundingClientRect().top ?? before;
    this.box.scrollTop += after - before;
    this.held = true;
    this.reach();
  }

  /**
   * Brings a place to the middle.
   * @param {{ getBoundingClientRect(): DOMRect }} place
   */
  show(place) {
    const [frame, { top, height }] = [this.box.getBoundingClientRect(), place.getBoundingClientRect()];
    this.atEnd = false;
    this.box.scrollTop += top - frame.top - Math.max(0, (frame.height - height) / 2);
    this.look();
  }
}
