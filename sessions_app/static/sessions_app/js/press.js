// What a reader is pressing stays as it is and where it is until they let go: a click comes only then, and only to an
// element that was there all the time. What would change the page meanwhile waits.

const PRESSABLE = "a, button, summary, label";

let isPressed = false;
/** @type {Set<() => void>} */
const waiting = new Set();

/** Watches pointers, and the space bar, which presses what has the focus. */
export function watchPresses() {
  /** @param {Event} event */
  const press = ({ target }) => {
    isPressed = target instanceof Element && target.closest(PRESSABLE) !== null;
  };
  const release = () => {
    isPressed = false;
    setTimeout(catchUp); // its click comes first
  };
  addEventListener("pointerdown", press, { capture: true });
  addEventListener("keydown", (event) => event.key === " " && press(event), { capture: true });
  for (const end of ["pointerup", "pointercancel", "keyup"]) addEventListener(end, release, { capture: true });
  addEventListener("blur", release); // of the window: what is let go elsewhere is not told here
}

function catchUp() {
  if (isPressed) return;
  const acts = [...waiting];
  waiting.clear();
  for (const act of acts) act();
}

/**
 * Does it at once, or when what is pressed is released. The same function is done once, however often it was asked for.
 * @param {() => void} act
 */
export function whenReleased(act) {
  if (isPressed) waiting.add(act);
  else act();
}

/** Resolves at once, or when what is pressed is released. */
export const released = () => new Promise((resolve) => whenReleased(() => resolve(undefined)));
