// What stands in the place of a conversation: where none is open yet, and where one is being loaded.

import { h, within } from "./dom.js";

const SUGGESTIONS = [
  "Calculate 12*(3+4)",
  "Show me a table",
  "Write a short Python example",
  "Search my chats for table",
];

/**
 * The page of a new chat.
 * @param {Page.Actions} actions
 * @returns {Page.Item}
 */
export function welcome(actions) {
  const build = () => {
    const mark = within(document, ".mark", SVGElement).cloneNode(true);
    const buttons = SUGGESTIONS.map((text) =>
      h("li", {}, h("button", { type: "button", text, on: { click: () => actions.send(text) } })),
    );
    return h(
      "div",
      { class: "welcome" },
      mark,
      h("h2", { text: "What can I do for you?" }),
      h("p", { text: "Ask anything. Your chats stay here, and every window you open shows the same." }),
      h("ul", { class: "suggestions", "aria-label": "Suggestions" }, ...buttons),
    );
  };
  return { key: "welcome", version: "", build };
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
