// Small helpers to find, build and place elements. Text only ever goes in as text.

/**
 * A new element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Page.Props} props
 * @param {(Node | string | null | undefined)[]} children
 */
export function h(tag, { class: classes, text, data, on, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  if (text) element.textContent = text;
  Object.assign(element.dataset, data);
  for (const [type, listener] of Object.entries(on ?? {})) {
    element.addEventListener(type, /** @type {EventListener} */ (listener));
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * The element of the page with this id, which is of this kind.
 * @template {Element} [Kind=HTMLElement]
 * @param {string} id
 * @param {new () => Kind} [kind]
 * @returns {Kind}
 */
export function $(id, kind) {
  return sure(document.getElementById(id), kind);
}

/**
 * The first element within `parent` that a selector names, which is there and of this kind.
 * @template {Element} [Kind=HTMLElement]
 * @param {ParentNode} parent
 * @param {string} selector
 * @param {new () => Kind} [kind]
 * @returns {Kind}
 */
export function within(parent, selector, kind) {
  return sure(parent.querySelector(selector), kind);
}

/**
 * The nearest element around the place of an event that a selector names, or null.
 * @param {Event} event
 * @param {string} selector
 */
export function inside({ target }, selector) {
  return target instanceof Element ? target.closest(selector) : null;
}

/**
 * @template {Element} Kind
 * @param {Element | null} found
 * @param {(new () => Kind) | undefined} kind
 * @returns {Kind}
 */
function sure(found, kind) {
  if (found instanceof (kind ?? HTMLElement)) return /** @type {Kind} */ (found);
  throw new TypeError(`The page has no such element: ${kind?.name ?? "HTMLElement"}`);
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * One of the drawings of icons.html; decoration, so what it means must be said beside it.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/**
 * @param {string} name
 * @param {string} label
 * @param {() => void} onClick
 */
export function iconButton(name, label, onClick) {
  return h(
    "button",
    { class: "icon-button", type: "button", "aria-label": label, title: label, on: { click: onClick } },
    icon(name),
  );
}

/**
 * Makes `parent` hold just these items, in order, keeping the nodes (and so focus, selection and open folds) of those
 * whose `version` is the same. What is built anew may be the old node, changed, or any other one of the parent's.
 * @param {Element} parent
 * @param {Page.Item[]} items
 */
export function reconcile(parent, items) {
  const children = /** @type {HTMLElement[]} */ ([...parent.children]);
  const old = new Map(children.map((node) => [node.dataset.key, node]));
  const keys = new Set(items.map(({ key }) => key));
  const kept = new Set();
  let place = parent.firstElementChild;
  for (const item of items) {
    let node = old.get(item.key);
    if (!node || node.dataset.version !== item.version) {
      const fresh = item.build(node);
      fresh.dataset.key = item.key;
      fresh.dataset.version = item.version;
      if (node && node !== fresh) {
        if (place === node) place = fresh;
        node.replaceWith(fresh);
      }
      node = fresh;
    }
    kept.add(node);
    // What is moved loses the pointer that is pressing it: those that go are passed over.
    while (place && place !== node && !keys.has(place.getAttribute("data-key") ?? "")) place = place.nextElementSibling;
    if (node === place) place = node.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  for (const node of [...parent.children]) if (!kept.has(node)) node.remove();
}
