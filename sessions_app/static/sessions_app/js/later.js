// Parts of the page that nobody needs at first, with their styles. Each is fetched when it is asked for, and before that
// once the page has come to rest: then it is there at once, also where the network is not. What could not be fetched is
// fetched again when it is next asked for.

import { toast } from "./announce.js";
import { h } from "./dom.js";

/** @typedef {keyof Page.LaterParts} Name */

let fetchers = /** @type {Page.LaterFetchers} */ ({});
/** @type {Partial<Page.LaterParts>} */
const present = {};

/** @param {Page.LaterFetchers} parts */
export function provide(parts) {
  fetchers = parts;
}

/**
 * A part, once it is here with the styles of all. Rejects where it cannot be had just now.
 * @template {Name} Key
 * @param {Key} name
 * @returns {Promise<Page.LaterParts[Key]>}
 */
export async function fetchPart(name) {
  const [part] = await Promise.all([fetchers[name](), fetchStyles()]);
  present[name] = part;
  return part;
}

/**
 * Does something with a part: at once where it is here, else as soon as it is.
 * @template {Name} Key
 * @param {Key} name
 * @param {(part: Page.LaterParts[Key]) => void} act
 */
export async function using(name, act) {
  let part = /** @type {Page.LaterParts[Key] | undefined} */ (present[name]);
  try {
    part ??= await fetchPart(name);
  } catch {
    toast("This could not be loaded. Try it again, or reload the page.");
    return;
  }
  act(part);
}

/**
 * A part that something is drawn with, or undefined: then `draw` is called once it is here, and asks again.
 * @template {Name} Key
 * @param {Key} name
 * @param {() => void} draw
 */
export function drawnWith(name, draw) {
  const part = present[name];
  if (!part) void using(name, draw);
  return part;
}

/** @type {Promise<unknown> | undefined} */
let styles;

/** The styles of all parts; after a failure they are fetched again when they are next asked for. */
function fetchStyles() {
  const addresses = [...document.querySelectorAll('meta[name="later-style"]')].map((meta) =>
    meta.getAttribute("content"),
  );
  styles ??= Promise.all(addresses.map((address) => fetchStyle(address ?? ""))).catch((error) => {
    styles = undefined;
    throw error;
  });
  return styles;
}

/** @param {string} href */
function fetchStyle(href) {
  return new Promise((resolve, reject) => {
    const link = h("link", { rel: "stylesheet", href });
    link.addEventListener("load", resolve);
    link.addEventListener("error", reject);
    document.head.append(link);
  });
}

/** What fails here is fetched when it is asked for. */
export function fetchAll() {
  const names = /** @type {Name[]} */ (Object.keys(fetchers));
  for (const name of names) fetchPart(name).catch(() => {});
}
