// Turning to another version: it appears where the one before stood.

import { Conversation } from "./conversation.js";
import { Scroll } from "./scroll.js";
import { lastOf } from "./versions.js";

export class Turning {
  /**
   * @param {Scroll} scroll
   * @param {(id: string) => HTMLElement | undefined} find the element of a message
   */
  constructor(scroll, find) {
    this.scroll = scroll;
    this.find = find;
    /** @type {{ from: string, to: string, button: HTMLElement } | null} */
    this.present = null; // with which messages a version and the one that is to take its place begin
  }

  /**
   * Resolves with the element under which the buttons of the version stand, once it is shown; rejects as the server does.
   * @param {Conversation} conversation
   * @param {Page.Versions} versions
   * @param {string} to
   * @param {HTMLElement} button that was pressed
   */
  async turn(conversation, { ids, at }, to, button) {
    const from = ids[at] ?? to;
    this.present = { from, to, button };
    try {
      await conversation.select(to, from);
    } finally {
      this.present = null;
    }
    return this.endOf(conversation, to);
  }

  /**
   * Makes a change of the page in which a version takes the place of another. Where the beginning of that is on the
   * screen, it stays in its place; else its end does, with the button. Returns whether there is nothing left to draw:
   * also while neither of the two is part of the conversation.
   * @param {Conversation | null} conversation
   * @param {() => void} change
   */
  draw(conversation, change) {
    const { present } = this;
    if (!present || !conversation) return false;
    const begin = this.find(present.from);
    if (!begin || !has(conversation, present.to)) return !has(conversation, present.from);
    const { to, button } = present;
    const isSeen = topOf(begin) >= topOf(this.scroll.box);
    const same = `[data-steers="${button.dataset.steers}"]`;
    this.scroll.hold(isSeen ? begin : button, change, () =>
      isSeen ? this.find(to) : this.endOf(conversation, to)?.querySelector(same),
    );
    return true;
  }

  /**
   * @param {Conversation} conversation
   * @param {string} first the id of the message with which it begins
   */
  endOf({ messages }, first) {
    const last = lastOf(messages, first);
    return last && this.find(last.id);
  }
}

/**
 * @param {Conversation} conversation
 * @param {string} id
 */
const has = ({ messages }, id) => messages.some((message) => message.id === id);

/** @param {Element} node */
const topOf = (node) => node.getBoundingClientRect().top;
