// A list of options under a field: groups with headings, one option chosen by the arrows, the mouse or none.
// The keyboard's focus stays in the field (ARIA's combobox), which names the chosen option.

import { h } from "./dom.js";

/**
 * @typedef {{ act: () => void, build: () => (Node | null)[] }} Option
 * @typedef {{ heading: string, options: Option[] }} Group
 */

export class Listbox {
  /**
   * @param {HTMLInputElement} field
   * @param {HTMLElement} box
   */
  constructor(field, box) {
    this.field = field;
    this.box = box;
    /** @type {{ element: HTMLElement, act: () => void }[]} */
    this.options = [];
    this.chosen = 0;
    box.addEventListener("pointermove", (event) => this.point(event));
    box.addEventListener("click", (event) => this.point(event) && this.act());
  }

  /**
   * Shows groups, without those that are empty. The first option is chosen, or with `stay` the one at the same place.
   * @param {Group[]} groups
   * @param {{ stay?: boolean }} [options]
   */
  show(groups, { stay = false } = {}) {
    this.options = [];
    this.box.replaceChildren(
      ...groups.filter(({ options }) => options.length).map((group, at) => this.group(group, at)),
    );
    if (!stay) this.box.scrollTop = 0;
    this.choose(stay ? Math.min(this.chosen, this.options.length - 1) : 0, { scroll: false });
  }

  /**
   * @param {Group} group
   * @param {number} at
   */
  group({ heading, options }, at) {
    const id = `${this.box.id}-group-${at}`;
    const title = h("h2", { id, role: "presentation", text: heading });
    return h("div", { role: "group", "aria-labelledby": id }, title, ...options.map((option) => this.option(option)));
  }

  /** @param {Option} option */
  option({ act, build }) {
    const id = `${this.box.id}-option-${this.options.length}`;
    const element = h("div", { id, role: "option", "aria-selected": "false", class: "option" }, ...build());
    this.options.push({ element, act });
    return element;
  }

  /**
   * @param {number} at
   * @param {{ scroll?: boolean }} [options]
   */
  choose(at, { scroll = true } = {}) {
    const option = this.options[at];
    for (const { element } of this.options) element.ariaSelected = String(element === option?.element);
    this.chosen = Math.max(at, 0);
    if (option) this.field.setAttribute("aria-activedescendant", option.element.id);
    else this.field.removeAttribute("aria-activedescendant");
    if (scroll) option?.element.scrollIntoView({ block: "nearest" });
  }

  /**
   * Chooses what is under the pointer; returns whether there is something.
   * @param {Event} event
   */
  point({ target }) {
    const at = this.options.findIndex(({ element }) => target instanceof Node && element.contains(target));
    if (at >= 0 && at !== this.chosen) this.choose(at, { scroll: false });
    return at >= 0;
  }

  /**
   * Goes up or down, from one end to the other.
   * @param {1 | -1} step
   */
  move(step) {
    const count = this.options.length;
    if (count) this.choose((this.chosen + step + count) % count);
  }

  act() {
    this.options[this.chosen]?.act();
  }
}
