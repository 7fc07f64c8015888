// Says how the connection is, where it is not simply there; and where the open chat cannot be fetched over it.

import { announce } from "./announce.js";
import { $ } from "./dom.js";
import { Retry } from "./retry.js";
import { Socket } from "./socket.js";
import { duration } from "./words.js";

/** A connection that is back within this time (ms) is not worth a word. */
const GRACE = 700;
const GOOD_NEWS = 3_000;
const TOO_MANY_WINDOWS = "You have too many windows of this site open. Close some of them, then try again.";

export class ConnectionLine {
  /** @param {Socket} socket */
  constructor(socket) {
    this.socket = socket;
    this.box = $("connection");
    this.words = $("connection-text");
    this.button = $("connection-retry", HTMLButtonElement);
    this.troubled = false;
    this.full = false;
    /** @type {Retry | null} */
    this.retry = null;
    this.what = () => "";
    this.stopHearing = () => {};
    this.button.addEventListener("click", () => (socket.state === "open" ? this.retry?.now() : socket.retry()));
    socket.on("state", () => this.changed());
    this.timer = setTimeout(() => this.show(), GRACE);
  }

  /**
   * Also says that what this is tried for could not be done.
   * @param {Retry | null} retry
   * @param {() => string} what the sentence
   */
  watch(retry, what) {
    this.stopHearing();
    this.retry = retry;
    this.what = what;
    this.stopHearing = retry?.on("change", () => this.retryChanged(retry)) ?? (() => {});
    this.changed();
  }

  /** @param {Retry} retry */
  retryChanged(retry) {
    if (retry.pausing && retry.failures === 1) announce(`${this.what()} It is being tried again.`);
    this.changed();
  }

  changed() {
    if (this.socket.state === "open") {
      clearTimeout(this.timer);
      // Where there were too many connections, it may only have been let in to be told so again.
      if (this.full) this.timer = setTimeout(() => this.reconnected(), GRACE);
      else if (this.troubled) this.reconnected();
      else this.showRetry();
    } else if (this.troubled || this.socket.state === "full") {
      this.show();
    } else {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.show(), GRACE);
    }
  }

  show() {
    clearTimeout(this.timer);
    const { state, retryAt } = this.socket;
    if (state === "open") return;
    this.button.textContent = state === "full" ? "Try again" : "Try now";
    if (state === "full") {
      this.showFull();
      return;
    }
    if (!this.troubled && state === "waiting") announce("The connection is lost. Trying to connect again.");
    this.troubled ||= state === "waiting";
    const why = navigator.onLine ? "No connection to the server." : "This device is offline.";
    this.words.textContent = state === "connecting" ? "Connecting …" : `${why} Trying again in ${inSeconds(retryAt)}.`;
    this.button.hidden = state === "connecting";
    this.box.classList.remove("good");
    this.box.hidden = false;
    this.timer = setTimeout(() => this.show(), 1000);
  }

  showFull() {
    if (!this.full) announce(TOO_MANY_WINDOWS);
    this.troubled = true;
    this.full = true;
    this.words.textContent = TOO_MANY_WINDOWS;
    this.button.hidden = false;
    this.box.classList.remove("good");
    this.box.hidden = false;
  }

  showRetry() {
    clearTimeout(this.timer);
    if (!this.retry?.troubled) {
      if (document.activeElement === this.button) $("scroller").focus({ preventScroll: true });
      this.box.hidden = true;
      return;
    }
    const { pausing, at } = this.retry;
    this.words.textContent = `${this.what()} ${pausing ? `Trying again in ${inSeconds(at)}.` : "Trying again …"}`;
    this.button.hidden = false;
    this.box.hidden = false;
    this.box.classList.remove("good");
    this.timer = setTimeout(() => this.changed(), 1000);
  }

  reconnected() {
    this.troubled = false;
    this.full = false;
    this.words.textContent = "Reconnected. Everything is up to date.";
    this.button.hidden = true;
    this.box.classList.add("good");
    announce("Reconnected.");
    this.timer = setTimeout(() => this.showRetry(), GOOD_NEWS);
  }
}

/** @param {number} time */
const inSeconds = (time) => duration(Math.max(1, Math.ceil((time - Date.now()) / 1000)));
