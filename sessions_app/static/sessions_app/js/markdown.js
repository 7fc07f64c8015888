// Markdown → HTML, by the server's `markdown.render`, which sanitises. The only HTML that this page ever takes in.

import { h } from "./dom.js";
import { piecesOf } from "./growing.js";
import { morph } from "./morph.js";
import { equip } from "./prose.js";
import { isPassing, Retry } from "./retry.js";
import { Refused, Socket } from "./socket.js";

/** After so many failures it may be a text that the server cannot render: it stays plain. */
const TRIES = 4;
/** HTML that comes within this time (ms) is waited for; then the whole text is shown, if only plain. */
const PATIENCE = 600;
const BATCH_TEXTS = 200;
const REMEMBERED = 500;
let separated = 0;

/** The one policy by which text may become HTML (settings.py names it); browsers without Trusted Types take any text. */
const server = globalThis.trustedTypes?.createPolicy("hermes-markdown", { createHTML: (html) => html });
/**
 * @param {string} html
 * @returns {Page.Html}
 */
const trust = (html) => (server ? server.createHTML(html) : html);

/**
 * A text that the server is to render, with what waits for its HTML; null: the server refuses the text.
 * @typedef {{ promise: Promise<Page.Html | null>, resolve: (html: Page.Html | null) => void, elements: HTMLElement[] }} Asked
 */

export class Markdown {
  /**
   * @param {Socket} socket
   * @param {number} limit the characters that one request may hold
   * @param {(change: () => void) => void} still changes the page under the reader's eyes
   */
  constructor(socket, limit, still) {
    this.socket = socket;
    this.limit = limit;
    this.still = still;
    /** @type {Map<string, Page.Html>} */
    this.known = new Map();
    /** @type {Map<string, Asked>} */
    this.asked = new Map();
    this.working = false;
    this.trying = new Retry(socket);
  }

  /**
   * Fills an element now if the text is known, else when its HTML comes; until then an empty one has the plain text.
   * @param {HTMLElement} element
   * @param {string} text
   */
  fill(element, text) {
    const html = this.known.get(text);
    if (html !== undefined) {
      put(element, html);
      return;
    }
    this.ask(text).elements.push(element);
    const showPlain = () => this.asked.get(text)?.elements.includes(element) && putPlain(element, text);
    if (element.hasChildNodes()) setTimeout(showPlain, PATIENCE);
    else showPlain();
  }

  /**
   * Resolves with the HTML, or null where the server refuses the text; survives a lost connection.
   * @param {string} text
   */
  async render(text) {
    return this.known.get(text) ?? this.ask(text).promise;
  }

  /**
   * A text of which nothing is known yet; it is asked for once.
   * @param {string} text
   */
  ask(text) {
    const before = this.asked.get(text);
    if (before) return before;
    /** @type {Asked["resolve"]} */
    let resolve = () => {};
    /** @type {Asked["promise"]} */
    const promise = new Promise((done) => {
      resolve = done;
    });
    /** @type {Asked} */
    const asked = { promise, resolve, elements: [] };
    this.asked.set(text, asked);
    if (!this.working) this.work();
    return asked;
  }

  /**
   * Resolves when these texts are rendered, or cannot be waited for any longer.
   * @param {string[]} texts
   */
  prepare(texts) {
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE));
    return Promise.race([Promise.all(texts.filter(Boolean).map((text) => this.render(text))), patience]);
  }

  /**
   * HTML of several texts at once, not remembered: for an answer that is still growing.
   * @param {string[]} texts
   */
  async renderNow(texts) {
    return (await this.socket.call("markdown.render", { texts })).html.map(trust);
  }

  /**
   * HTML of a text that is longer than a request may be.
   * @param {string} text
   */
  async renderLong(text) {
    const html = [];
    for (const piece of piecesOf(text, this.limit)) {
      html.push(...(await this.socket.call("markdown.render", { texts: [piece] })).html);
    }
    return trust(html.join(""));
  }

  async work() {
    this.working = true;
    await Promise.resolve();
    while (this.asked.size) {
      const texts = this.batch();
      try {
        const [first = ""] = texts;
        const html = first.length > this.limit ? [await this.renderLong(first)] : await this.renderNow(texts);
        this.trying.over();
        this.settle(texts, html);
      } catch (error) {
        if (isPassing(error) && this.trying.failures < TRIES) await this.trying.pause(error);
        else if (error instanceof Refused) this.giveUp(texts);
        else await this.socket.ready();
      }
    }
    this.working = false;
  }

  /** @param {string[]} texts */
  giveUp(texts) {
    this.trying.over();
    this.settle(
      texts,
      texts.map(() => null),
    );
  }

  batch() {
    const texts = [];
    let size = 0;
    for (const text of this.asked.keys()) {
      size += text.length;
      if (texts.length === BATCH_TEXTS || (texts.length && size > this.limit)) break;
      texts.push(text);
    }
    return texts;
  }

  /**
   * @param {string[]} texts
   * @param {(Page.Html | null)[]} html of each, in the same order
   */
  settle(texts, html) {
    this.still(() => {
      for (const [index, text] of texts.entries()) this.arrive(text, html[index] ?? null);
    });
    for (const text of this.known.keys()) {
      if (this.known.size <= REMEMBERED) break;
      this.known.delete(text);
    }
  }

  /**
   * @param {string} text
   * @param {Page.Html | null} html
   */
  arrive(text, html) {
    const asked = this.asked.get(text);
    this.asked.delete(text);
    asked?.resolve(html);
    if (html !== null) this.known.set(text, html);
    for (const element of asked?.elements ?? []) {
      if (html === null) putPlain(element, text);
      else put(element, html);
    }
  }
}

/**
 * Shows rendered HTML in an element; of what is there, all that is the same stays.
 * @param {HTMLElement} element
 * @param {Page.Html} html
 */
function put(element, html) {
  element.classList.remove("plain-text");
  morph(element, rendered(html));
  equip(element, false);
}

/**
 * A box of rendered HTML.
 * @param {Page.Html} html
 */
export function rendered(html) {
  const box = h("div");
  // Text for the types alone: the browser looks whether the policy has made it.
  // biome-ignore lint/plugin/html: this is the one place.
  box.innerHTML = /** @type {string} */ (html);
  separateNotes(box);
  // The blanks between blocks depend on where the text was cut, and mean nothing.
  for (const node of [...box.childNodes]) if (node instanceof Text && !node.data.trim()) node.remove();
  return box;
}

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
function putPlain(element, text) {
  element.classList.add("plain-text");
  element.textContent = text;
}

/**
 * Footnotes of equal texts have equal ids; on the page each is made its own.
 * @param {HTMLElement} element
 */
function separateNotes(element) {
  const notes = element.querySelectorAll('[id^="note-"]');
  if (!notes.length) return;
  separated += 1;
  for (const note of notes) note.id += `-${separated}`;
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = element.querySelectorAll('a[href^="#note-"]');
  for (const link of links) link.hash += `-${separated}`;
}
