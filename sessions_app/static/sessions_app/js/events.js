// Who tells something here, and who listens: the browser's own events, with types.

/**
 * Tells events by name. They are heard at once, in the order of listening; an error of one listener is the page's to
 * report, and keeps no other from hearing.
 * @template {object} Events what is told with each, by its name; undefined where the name says all
 */
export class Emitter {
  #target = new EventTarget();

  /**
   * Calls `hear` with what is told, until the function that this returns is called.
   * @template {keyof Events & string} Name
   * @param {Name} name
   * @param {(detail: Events[Name]) => void} hear
   * @returns {() => void}
   */
  on(name, hear) {
    /** @param {Event} event */
    const listener = (event) => hear(/** @type {CustomEvent<Events[Name]>} */ (event).detail);
    this.#target.addEventListener(name, listener);
    return () => this.#target.removeEventListener(name, listener);
  }

  /**
   * @template {keyof Events & string} Name
   * @param {Name} name
   * @param {Events[Name] extends undefined ? [] : [detail: Events[Name]]} detail
   */
  tell(name, ...[detail]) {
    this.#target.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
