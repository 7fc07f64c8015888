// Parts of the page that nobody needs at first. Each is fetched when it is asked for, and before that once the page has
// come to rest: then it is there at once, also where the network is not.

import { toast } from "./announce.js";

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
    part = await fetch();
  } catch {
    toast("This could not be loaded. Reload the page to try again.");
    return;
  }
  act(part);
}

/** What fails here is fetched when it is asked for. */
export function fetchAll() {
  for (const fetch of Object.values(parts)) fetch().catch(() => {});
}
