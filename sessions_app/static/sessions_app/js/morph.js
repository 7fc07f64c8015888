// Makes one piece of the page like another by changing as little as possible: what is the same stays, and with it the
// reader's selection, focus and scrolling in it. What the page has added (data-ours) stays too.

/**
 * Gives `old` the children of `fresh`, which is used up, in the place of its own.
 * @param {Element} old
 * @param {Element} fresh
 * @param {number} [from] how many of its own stay
 */
export function morph(old, fresh, from = 0) {
  const rest = [...old.childNodes].slice(from).filter((node) => !isOurs(node));
  for (const next of [...fresh.childNodes]) {
    const present = rest.shift();
    if (!present) old.append(next);
    else if (!blend(present, next)) present.replaceWith(next);
  }
  for (const node of rest) node.remove();
}

/**
 * Makes one node like another of its kind; returns whether it could.
 * @param {Node} old
 * @param {Node} fresh
 */
function blend(old, fresh) {
  if (old instanceof Text && fresh instanceof Text) {
    blendText(old, fresh.data);
    return true;
  }
  if (!(old instanceof Element && fresh instanceof Element) || kindOf(old) !== kindOf(fresh)) return false;
  if (old.isEqualNode(fresh)) return true;
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !isState(old, name)) old.setAttribute(name, value);
  }
  morph(old, fresh);
  return true;
}

/**
 * A selection within a text survives only where its characters are left alone.
 * @param {Text} text
 * @param {string} data
 */
function blendText(text, data) {
  if (data.startsWith(text.data)) text.appendData(data.slice(text.data.length));
  else text.data = data;
}

/** @param {Element} element */
const kindOf = (element) => `${element.nodeName} ${element.getAttribute("data-step") ?? ""} ${element.id && "id"}`;

/** @param {Node} node */
const isOurs = (node) => node instanceof Element && node.hasAttribute("data-ours");

/**
 * How a block of code or a table is shown stays as it is.
 * @param {Element} element
 * @param {string} name
 */
const isState = (element, name) => name === "class" && element.matches(".code, .table");
