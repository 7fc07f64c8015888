// The box to write in: draft, length, sending and stopping.

import { announce } from "./announce.js";
import { Attachments } from "./attachments.js";
import { $, inside } from "./dom.js";
import { keysOf } from "./keys.js";
import { isSendKey, sendKeys } from "./send_key.js";
import { Storage } from "./storage.js";
import { cleaned, length } from "./text.js";
import { counted, number } from "./words.js";

/** From this part of the limit on, the length is shown. */
const COUNT_FROM = 0.9;
/** Pixels that one line is high at most. */
const ONE_LINE = 44;

/**
 * `editLast` edits the last message that was sent, and returns whether there is one.
 * @typedef {object} Actions
 * @property {(text: string, files: Api.FileShape[]) => void} send
 * @property {() => void} stop
 * @property {() => boolean} editLast
 */

/** @param {KeyboardEvent} event */
const isPlainUp = ({ key, shiftKey, ctrlKey, metaKey, altKey }) =>
  key === "ArrowUp" && !(shiftKey || ctrlKey || metaKey || altKey);

export class Composer {
  /** @param {{ maxText: number, storage: Storage, attachments: Attachments, actions: Actions }} parts */
  constructor({ maxText, storage, attachments, actions }) {
    this.maxText = maxText;
    this.attachments = attachments;
    this.storage = storage;
    this.actions = actions;
    this.form = $("composer", HTMLFormElement);
    this.box = $("text", HTMLTextAreaElement);
    this.sendButton = $("send", HTMLButtonElement);
    this.stopButton = $("stop");
    this.refusal = $("refusal");
    /** @type {string | null} */
    this.session = null;
    this.writing = false; // an answer is being written
    this.awaitsFiles = false; // to be sent once all files are there
    this.touch = matchMedia("(pointer: coarse)").matches;
    this.box.enterKeyHint = this.touch ? "enter" : "send";
    this.form.addEventListener("submit", (event) => this.submit(event));
    this.box.addEventListener("input", () => this.changed());
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.stopButton.addEventListener("click", () => this.stop());
    $("suggestions").addEventListener("click", (event) => this.suggest(event));
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.escape(event));
    attachments.on("change", () => this.filesChanged());
    addEventListener("pagehide", () => this.text && this.keep());
  }

  /**
   * Goes over to a chat (null: a new one) with the draft that was left there.
   * @param {string | null} session
   */
  open(session) {
    this.session = session;
    this.awaitsFiles = false;
    this.box.value = this.storage.draft(session);
    this.refuse("");
    if (!this.text) this.takeOver(session);
    this.showRun(false);
    this.attachments.tell("change");
  }

  /**
   * The draft of a tab that is gone, where there is none of this one.
   * @param {string | null} session
   */
  async takeOver(session) {
    const text = await this.storage.takeOverDraft(session, () => this.session === session && !this.text);
    if (!text) return;
    this.box.value = text;
    this.fit();
  }

  get text() {
    return this.box.value;
  }

  /**
   * What was written before the page's scripts ran, beside the draft that is here now: no word of it is lost.
   * @param {string} text
   */
  addEarly(text) {
    if (!text.trim() || text === this.text) return;
    this.box.value = this.text.trim() ? `${this.text}\n\n${text}` : text;
    this.changed();
  }

  /** Says which keys send. */
  showKeys() {
    const [send = "", line = ""] = sendKeys().map((key) => keysOf(key).join(" "));
    $("hint").textContent = `${send} sends, ${line} starts a line`;
    this.sendButton.title = `Send (${send})`;
  }

  get hasFiles() {
    return this.attachments.of(this.session).length > 0;
  }

  /** Whether there is anything to send. */
  get isEmpty() {
    return !this.text.trim() && !this.hasFiles;
  }

  /**
   * Puts a text here to be changed and sent; a draft is never written over.
   * @param {string} text
   * @param {Api.FileShape[]} [files]
   */
  edit(text, files = []) {
    if (files.length) this.attachments.putBack(this.session, files);
    this.box.value = this.box.value.trim() ? `${text}\n\n${this.box.value}` : text;
    this.changed();
    this.focus();
  }

  /**
   * Begins a message, to be finished by its writer.
   * @param {Event} event
   */
  suggest(event) {
    const begin = inside(event, "[data-begin]")?.getAttribute("data-begin");
    if (!begin) return;
    this.edit(begin);
    this.box.focus();
  }

  focus() {
    if (!this.touch) this.box.focus();
  }

  /**
   * Says why a text that was sent is here again, until it is another one.
   * @param {string} words
   */
  refuse(words) {
    this.refusal.textContent = words;
    this.refusal.hidden = !words;
  }

  /** What was to be sent goes once all files are there; where one was refused, its sender decides. */
  filesChanged() {
    this.fit();
    if (!this.awaitsFiles || this.attachments.isBusy(this.session)) return;
    this.awaitsFiles = false;
    if (this.attachments.isReady(this.session)) this.form.requestSubmit();
  }

  changed() {
    this.awaitsFiles = false;
    this.refuse("");
    this.keep();
    this.fit();
  }

  keep() {
    this.storage.keepDraft(this.session, this.text);
  }

  /**
   * What was sent from here is no draft any more; a suggestion or a retry leaves the draft alone.
   * @param {string} text
   */
  sent(text) {
    if (this.box.value === text) this.box.value = "";
    this.changed();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (isSendKey(event)) {
      event.preventDefault();
      this.form.requestSubmit();
    } else if (isPlainUp(event) && !this.text && this.actions.editLast()) event.preventDefault();
  }

  /** @param {SubmitEvent} event */
  submit(event) {
    event.preventDefault();
    this.box.value = cleaned(this.box.value);
    const { text } = this;
    if (this.isEmpty) return;
    if (!this.attachments.isReady(this.session)) {
      this.awaitsFiles = true;
      announce("It is sent once all files are there.");
      return;
    }
    if (this.excess > 0) {
      announce(`The message is ${counted(this.excess, "character", "characters")} too long.`);
      return;
    }
    this.actions.send(text, this.attachments.take(this.session));
  }

  /** Characters above the limit. */
  get excess() {
    return this.text.length <= this.maxText ? 0 : length(this.text) - this.maxText;
  }

  fit() {
    if (!CSS.supports("field-sizing", "content")) {
      this.box.style.height = "auto";
      this.box.style.height = `${this.box.scrollHeight}px`;
    }
    const near = this.text.length > this.maxText * COUNT_FROM;
    const { excess } = this;
    $("counter").textContent =
      excess > 0 ? `${number(excess)} too long` : near ? `${number(this.maxText - length(this.text))} left` : "";
    $("counter").classList.toggle("over", excess > 0);
    this.sendButton.disabled = this.isEmpty || excess > 0 || !this.attachments.isReady(this.session);
    this.form.classList.toggle("tall", this.isTall());
    this.showButton();
  }

  /** Whether the text has needed a second line; then the box stays tall until it is empty, or it would flutter. */
  isTall() {
    if (!this.text) return false;
    return this.form.classList.contains("tall") || this.box.scrollHeight > ONE_LINE;
  }

  /** @param {boolean} writing */
  showRun(writing) {
    this.writing = writing;
    this.showButton();
  }

  /** One button: while an answer is written and nothing else is, it stops that; else it sends. */
  showButton() {
    const [shown, other] =
      this.writing && this.isEmpty ? [this.stopButton, this.sendButton] : [this.sendButton, this.stopButton];
    const focused = document.activeElement === other;
    shown.hidden = false;
    other.hidden = true;
    if (focused) this.box.focus();
  }

  stop() {
    if (this.writing) this.actions.stop();
  }

  /**
   * Esc stops the answer, unless it is meant for something that is open or being edited elsewhere.
   * @param {KeyboardEvent} event
   */
  escape(event) {
    const elsewhere =
      document.querySelector("dialog[open], :popover-open:not(#toast), .sidebar.shown") || inside(event, "#sidebar");
    if (!elsewhere && !event.defaultPrevented) this.stop();
  }
}
