// Says how the connection is, where it is not simply there.

import { announce } from "./announce.js";
import { $ } from "./dom.js";
import { duration } from "./words.js";

/** A connection that is back within this time (ms) is not worth a word. */
const GRACE = 700;
const GOOD_NEWS = 3_000;

export class ConnectionLine {
  constructor(socket) {
    this.socket = socket;
    this.box = $("connection");
    this.words = $("connection-text");
    this.button = $("connection-retry");
    this.troubled = false;
    this.button.addEventListener("click", () => socket.retry());
    socket.addEventListener("state", () => this.changed());
    this.timer = setTimeout(() => this.show(), GRACE);
  }

  changed() {
    if (this.socket.state === "open") {
      clearTimeout(this.timer);
      if (this.troubled) this.reconnected();
      else this.box.hidden = true;
    } else if (this.troubled) {
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
    if (!this.troubled && state === "waiting") announce("The connection is lost. Trying to connect again.");
    this.troubled ||= state === "waiting";
    const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
    const why = navigator.onLine ? "No connection to the server." : "This device is offline.";
    this.words.textContent = state === "connecting" ? "Connecting …" : `${why} Trying again in ${duration(seconds)}.`;
    this.button.hidden = state === "connecting";
    this.box.classList.remove("good");
    this.box.hidden = false;
    this.timer = setTimeout(() => this.show(), 1000);
  }

  reconnected() {
    this.troubled = false;
    this.words.textContent = "Reconnected. Everything is up to date.";
    this.button.hidden = true;
    this.box.classList.add("good");
    announce("Reconnected.");
    this.timer = setTimeout(() => (this.box.hidden = true), GOOD_NEWS);
  }
}
