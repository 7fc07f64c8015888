// Keys pressed while an input method composes are the input method's: Enter takes a word, Escape drops it. No listener of
// the page hears them, so no field can send, save, close or cancel by them; nor does the browser clear a search field or
// close a dialog.

/** Safari ends composing before the key that ended it; that key has the code 229 all the same. */
const PROCESSED = 229;

export function leaveKeysToInputMethods() {
  addEventListener("keydown", keep, { capture: true });
}

/** @param {KeyboardEvent} event */
function keep(event) {
  if (!event.isComposing && event.keyCode !== PROCESSED) return;
  event.stopImmediatePropagation();
  if (event.key === "Escape") event.preventDefault();
}
