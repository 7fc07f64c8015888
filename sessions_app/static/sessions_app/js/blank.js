// What stands in the place of a conversation: where none is open yet, and where one is being loaded.

import { $, h, within } from "./dom.js";

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
