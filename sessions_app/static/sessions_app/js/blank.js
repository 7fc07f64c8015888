// What stands in the place of a conversation, or of the part of it that is not loaded: where none is open yet, and where
// more is to come.

import { $, h, within } from "./dom.js";
import { note } from "./message.js";

const GLIDE = { duration: 240, easing: "cubic-bezier(0.2, 0.8, 0.2, 1)" };

/**
 * The page of a new chat: the greeting; the box under it moves to the middle (chat.css).
 * @returns {Page.Item}
 */
export function greeting() {
  const build = () => {
    const { name } = $("thread").dataset;
    const mark = within(document, ".mark", SVGElement).cloneNode(true);
    return h(
      "h2",
      { class: "greeting" },
      mark,
      h("span", {}, `Good ${dayTime(new Date().getHours())}, `, h("bdi", { text: name })),
    );
  };
  return { key: "greeting", version: "", build };
}

/** @param {number} hour */
const dayTime = (hour) => (hour >= 5 && hour < 12 ? "morning" : hour >= 12 && hour < 18 ? "afternoon" : "evening");

/**
 * Makes a change; where it ends the page of a new chat, the box glides to its place below.
 * @param {() => void} change
 */
export function gliding(change) {
  const dock = within(document, ".dock");
  const wasBlank = document.querySelector(".greeting");
  const before = wasBlank && dock.getBoundingClientRect().top;
  change();
  if (before === null || document.querySelector(".greeting")) return;
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const way = before - dock.getBoundingClientRect().top;
  dock.animate([{ translate: `0 ${way}px` }, { translate: "0 0" }], GLIDE);
}

/** @returns {Page.Item} */
export function skeleton() {
  const lines = Array.from({ length: 6 }, () => h("div", { class: "skeleton" }));
  return {
    key: "loading",
    version: "",
    build: () => h("div", { class: "loading", role: "img", "aria-label": "Loading the chat" }, ...lines),
  };
}

/**
 * Where older messages are to come.
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
