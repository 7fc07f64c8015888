// What the reader did to folds, and how long a model thought: kept by this tab, reloads included.

import { within } from "./dom.js";

const NAME = "hermes:folds";
const MAX_KEYS = 500;

/** @typedef {{ open?: boolean, seconds?: number }} Kept */

/** @type {Map<string, Kept> | null} */
let known = null;

/** @returns {Map<string, Kept>} */
function all() {
  known ??= new Map(read());
  return known;
}

/** @returns {[string, Kept][]} */
function read() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME) ?? "[]");
  } catch {
    return []; // the browser refuses storage, or another release has written it
  }
}

/** @param {string} key */
export const kept = (key) => all().get(key) ?? {};

/**
 * @param {string} key
 * @param {Kept} change
 */
export function keep(key, change) {
  const map = all();
  const before = map.get(key);
  map.delete(key);
  map.set(key, { ...before, ...change });
  for (const oldest of map.keys()) {
    if (map.size <= MAX_KEYS) break;
    map.delete(oldest);
  }
  try {
    sessionStorage.setItem(NAME, JSON.stringify([...map]));
  } catch {
    // Without storage it holds until the page is left.
  }
}

/**
 * Opens a fold, for somebody who looks for what stands there; returns what is to get the focus.
 * @param {HTMLElement} node
 */
export function openFold(node) {
  if (!(node instanceof HTMLDetailsElement)) return node;
  keep(node.dataset.step ?? "", { open: true });
  node.open = true;
  return within(node, "summary");
}
