// What stands where the loaded part of a conversation ends and more is to come.

import { h } from "./dom.js";
import { note } from "./message.js";

/**
 * @param {import("./conversation.js").Conversation} conversation
 * @returns {Page.Item[]}
 */
export function olderItems({ hasMore, tryingOlder }) {
  if (!hasMore) return [];
  if (!tryingOlder.troubled) return [loading("older", "Loading older messages …")];
  const words = "Older messages could not be loaded. It is being tried again.";
  return [
    { key: "older", version: "troubled", build: () => note("wait", words, ["Try now", () => tryingOlder.now()]) },
  ];
}

export const newerItem = () => loading("newer", "Loading newer messages …");

/**
 * @param {string} key
 * @param {string} words
 * @returns {Page.Item}
 */
const loading = (key, words) => ({ key, version: "", build: () => h("p", { class: "older", text: words }) });
