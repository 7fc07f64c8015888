// Markdown → HTML, by the server's `markdown.render`, which sanitises. The only HTML that this page ever takes in.

import { isPassing, Retry } from "./retry.js";
import { Refused } from "./socket.js";
import { copyFrom } from "./clipboard.js";
import { h, icon } from "./dom.js";

/** After so many failures it may be a text that the server cannot render: it stays plain. */
const TRIES = 4;
/** HTML that comes within this time (ms) is waited for; then the whole text is shown, if only plain. */
const PATIENCE = 600;
const BATCH_TEXTS = 200;
const REMEMBERED = 500;
let rendered = 0;

/** The one policy by which text may become HTML (settings.py names it); browsers without Trusted Types take any text. */
const server = globalThis.trustedTypes?.createPolicy("hermes-markdown", { createHTML: (html) => html });
const trust = (html) => (server ? server.createHTML(html) : html);

export class Markdown {
  /** `limit`: the characters that one request may hold; `still(change)` changes the page under the reader's eyes. */
  constructor(socket, limit, still) {
    Object.assign(this, { socket, limit, still });
    this.known = new Map();
    this.asked = new Map();
    this.working = false;
    this.trying = new Retry(socket);
  }

  /** Fills an element now if the text is known, else when its HTML comes; until then an empty one has the plain text. */
  fill(element, text) {
    if (this.known.has(text)) {
      put(element, this.known.get(text));
      return;
    }
    if (element.hasChildNodes())
      setTimeout(() => this.asked.get(text)?.elements.includes(element) && putPlain(element, text), PATIENCE);
    else putPlain(element, text);
    this.render(text);
    this.asked.get(text).elements.push(element);
  }

  /** Resolves with the HTML, or null where the server refuses the text; survives a lost connection. */
  render(text) {
    if (this.known.has(text)) return Promise.resolve(this.known.get(text));
    if (!this.asked.has(text)) {
      let resolve;
      const promise = new Promise((done) => (resolve = done));
      this.asked.set(text, { promise, resolve, elements: [] });
      if (!this.working) this.work();
    }
    return this.asked.get(text).promise;
  }

  /** Resolves when these texts are rendered, or cannot be waited for any longer. */
  prepare(texts) {
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE));
    return Promise.race([Promise.all(texts.filter(Boolean).map((text) => this.render(text))), patience]);
  }

  /** HTML of several texts at once, not remembered: for an answer that is still growing. */
  async renderNow(texts) {
    return (await this.socket.call("markdown.render", { texts })).html.map(trust);
  }

  async work() {
    this.working = true;
    await Promise.resolve();
    while (this.asked.size) {
      const texts = this.batch();
      try {
        const html = await this.renderNow(texts);
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

  settle(texts, html) {
    this.still(() => texts.forEach((text, index) => this.arrive(text, html[index])));
    for (const text of this.known.keys()) {
      if (this.known.size <= REMEMBERED) break;
      this.known.delete(text);
    }
  }

  arrive(text, html) {
    const { resolve, elements } = this.asked.get(text);
    this.asked.delete(text);
    resolve(html);
    if (html !== null) this.known.set(text, html);
    for (const element of elements) {
      if (html === null) putPlain(element, text);
      else put(element, html);
    }
  }
}

/** Puts rendered HTML into an element, with the buttons that belong to it. */
export function put(element, html) {
  element.classList.remove("plain-text");
  element.innerHTML = html;
  separateNotes(element);
  for (const head of element.querySelectorAll(".code-head")) {
    const words = h("span", { text: "Copy" });
    const code = head.nextElementSibling;
    const button = h("button", { type: "button", "aria-label": "Copy code" }, icon("copy"), words);
    button.addEventListener("click", () => copyFrom(button, code.textContent.replace(/\n$/, ""), words));
    head.append(button);
  }
  requestAnimationFrame(() => letKeysScroll(element));
}

function putPlain(element, text) {
  element.classList.add("plain-text");
  element.textContent = text;
}

/** Footnotes of equal texts have equal ids; on the page each is made its own. */
function separateNotes(element) {
  const notes = element.querySelectorAll('[id^="note-"]');
  if (!notes.length) return;
  rendered += 1;
  for (const note of notes) note.id += `-${rendered}`;
  for (const link of element.querySelectorAll('a[href^="#note-"]')) link.hash += `-${rendered}`;
}

const LABELS = { pre: "Wide code", div: "Wide table", math: "Wide formula" };

/** Wide code, tables and formulas scroll sideways, by keyboard only where they can be focused. */
function letKeysScroll(element) {
  for (const box of element.querySelectorAll('.code pre, .table, math[display="block"]')) {
    if (box.scrollWidth <= box.clientWidth) continue;
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", LABELS[box.localName]);
  }
}
