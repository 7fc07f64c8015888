// What the project's own rules of the linter find. Each line is excused, and an excuse that is not needed is a warning:
// so a rule that finds no more what it is for fails `make lint`.

/**
 * @param {HTMLIFrameElement} frame
 * @param {string} text
 */
export function forbidden(frame, text) {
  // biome-ignore lint/plugin/html: an example.
  frame.innerHTML = text;
  // biome-ignore lint/plugin/html: an example.
  frame.innerHTML += text;
  // biome-ignore lint/plugin/html: an example.
  frame.outerHTML = text;
  // biome-ignore lint/plugin/html: an example.
  frame.srcdoc = text;
  // biome-ignore lint/plugin/html: an example.
  frame.insertAdjacentHTML("beforeend", text);
  // biome-ignore lint/plugin/html: an example.
  frame.setHTMLUnsafe(text);
  // biome-ignore lint/plugin/html: an example.
  document.write(text);
  // biome-ignore lint/plugin/html: an example.
  document.createRange().createContextualFragment(text);
  // biome-ignore lint/plugin/html: an example.
  new DOMParser().parseFromString(text, "text/html");
  // biome-ignore lint/plugin/html: an example.
  new Function(text)();
  // biome-ignore lint/plugin/addresses: an example.
  fetch("https://example.org/");
  // biome-ignore lint/plugin/addresses: an example.
  fetch(`//example.org/${text}`);
}
