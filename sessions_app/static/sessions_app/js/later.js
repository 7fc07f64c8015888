// Parts of the page that nobody needs at first, with their styles. Each is fetched when it is asked for, and before that
// once the page has come to rest: then it is there at once, also where the network is not.

import { toast } from "./announce.js";
import { h } from "./dom.js";

export const parts = {
  ledger: () => import("./ledger.js"),
  palette: () => import("./palette.js"),
  settings: () => import("./settings.js"),
  shortcutList: () => import("./shortcut_list.js"),
};

/**
 * Does something with a part, as soon as it is here.
 * @template Part
 * @param {() => Promise<Part>} fetch one of `parts`
 * @param {(part: Part) => void} act
 */
export async function using(fetch, act) {
  let part;
  try {
    [part] = await Promise.all([fetch(), fetchStyles()]);
  } catch {
    toast("This could not be loaded. Reload the page to try again.");
    return;
  }
  act(part);
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
  fetchStyles().catch(() => {});
  for (const fetch of Object.values(parts)) fetch().catch(() => {});
}
