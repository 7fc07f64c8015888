// The sidebar's place: beside the chat, where it can be folded away; on small screens a drawer above it.

import { $ } from "./dom.js";
import { Storage } from "./storage.js";

const SMALL = "(width < 50rem)";
const FOLDED = "folded";

export class Drawer {
  /** @param {Storage} storage */
  constructor(storage) {
    this.storage = storage;
    this.root = document.documentElement;
    this.sidebar = $("sidebar");
    $("drawer-open").addEventListener("click", () => this.open());
    $("drawer-close").addEventListener("click", () => this.close());
    $("sidebar-fold").addEventListener("click", () => this.fold(true));
    $("shade").addEventListener("click", () => this.close());
    this.sidebar.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && this.close()) event.preventDefault();
    });
    matchMedia(SMALL).addEventListener("change", () => this.close());
  }

  get isFolded() {
    return this.root.dataset.sidebar === FOLDED;
  }

  /** Shows what is hidden, hides what is shown. */
  toggle() {
    if (!matchMedia(SMALL).matches) this.fold(!this.isFolded);
    else if (!this.close()) this.open();
  }

  /**
   * Beside the chat; it stays so after a reload (`early.js`).
   * @param {boolean} away
   */
  fold(away) {
    if (away) this.root.dataset.sidebar = FOLDED;
    else delete this.root.dataset.sidebar;
    this.storage.write("sidebar", away ? FOLDED : null);
    $(away ? "drawer-open" : "sidebar-fold").focus();
  }

  open() {
    if (!matchMedia(SMALL).matches) {
      this.fold(false);
      return;
    }
    this.sidebar.classList.add("shown");
    $("shade").hidden = false;
    $("main").inert = true;
    $("drawer-open").setAttribute("aria-expanded", "true");
    $("drawer-close").focus();
  }

  /** Returns whether it was open. */
  close() {
    const open = this.sidebar.classList.contains("shown");
    this.sidebar.classList.remove("shown");
    $("shade").hidden = true;
    $("main").inert = false;
    $("drawer-open").setAttribute("aria-expanded", "false");
    if (open) $("drawer-open").focus();
    return open;
  }
}
