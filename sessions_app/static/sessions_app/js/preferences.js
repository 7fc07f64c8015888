// What the reader has chosen for this page in this browser; kept by storage.js, the same in all tabs.

import { Emitter } from "./events.js";
import { Storage } from "./storage.js";

/** Of each preference what may be chosen; the first is so where nothing is. */
export const CHOICES = {
  theme: ["system", "light", "dark"],
  hours: ["system", "12", "24"],
  sendKey: ["Enter", "Mod+Enter"],
  notifications: ["off", "on"],
};

/** @typedef {keyof typeof CHOICES} Preference */

/**
 * Tells "change", also of what is chosen in another tab.
 * @extends {Emitter<{ change: undefined }>}
 */
export class Preferences extends Emitter {
  /**
   * @param {Storage} storage
   * @param {Window & typeof globalThis} browser
   */
  constructor(storage, browser = window) {
    super();
    this.storage = storage;
    browser.addEventListener("storage", () => this.tell("change"));
  }

  /** @param {Preference} name */
  get(name) {
    const [first = "", ...others] = CHOICES[name];
    return others.find((value) => value === this.storage.read(name)) ?? first;
  }

  /**
   * @param {Preference} name
   * @param {string} value
   */
  set(name, value) {
    this.storage.write(name, value === CHOICES[name][0] ? null : value);
    this.tell("change");
  }
}
