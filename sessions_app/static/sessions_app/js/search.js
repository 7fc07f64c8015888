// Search in titles and in what was said, while typing.

import { announce } from "./announce.js";
import { $, h } from "./dom.js";
import { Sessions } from "./sessions.js";
import { Sidebar } from "./sidebar.js";
import { Socket } from "./socket.js";
import { counted, explain } from "./words.js";

const PAUSE = 220;
const HITS = 30;

export class Search {
  /** @param {{ socket: Socket, sessions: Sessions, sidebar: Sidebar }} parts */
  constructor({ socket, sessions, sidebar }) {
    this.socket = socket;
    this.sessions = sessions;
    this.sidebar = sidebar;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.box = $("search", HTMLInputElement);
    this.box.addEventListener("input", () => this.later());
    this.box.addEventListener("keydown", (event) => event.key === "Escape" && this.clear(event));
    this.latest = 0;
  }

  /** @param {KeyboardEvent} event */
  clear(event) {
    if (!this.box.value) return;
    event.preventDefault();
    this.box.value = "";
    this.look();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), PAUSE);
  }

  async look() {
    const query = this.box.value.trim();
    const number = ++this.latest;
    if (!query) {
      this.sidebar.showSearch(null);
      return;
    }
    try {
      const [titles, said] = await Promise.all([
        this.socket.call("session.list", { query, archived: this.sessions.archived, limit: HITS }),
        this.socket.call("session.search", { query, limit: HITS }),
      ]);
      if (number === this.latest) this.show(query, titles.sessions, said.hits);
    } catch (error) {
      if (number === this.latest) this.showTrouble(explain(error));
    }
  }

  /** @param {string} words */
  showTrouble(words) {
    announce(words);
    const again = h("button", {
      class: "link-button",
      type: "button",
      text: "Try again",
      on: { click: () => this.look() },
    });
    this.sidebar.showSearch([h("p", { class: "empty" }, `${words} `, again)]);
  }

  /**
   * @param {string} query
   * @param {Api.SessionShape[]} sessions
   * @param {Api.HitShape[]} hits
   */
  show(query, sessions, hits) {
    announce(`${counted(sessions.length, "chat", "chats")} and ${counted(hits.length, "message", "messages")} found.`);
    const nodes = [];
    if (sessions.length)
      nodes.push(
        h("h2", { text: "Titles" }),
        h("ul", {}, ...sessions.map((session) => h("li", {}, this.sidebar.row(session)))),
      );
    if (hits.length)
      nodes.push(h("h2", { text: "Messages" }), h("ul", {}, ...hits.map((hit) => h("li", {}, this.hit(hit, query)))));
    if (!nodes.length)
      nodes.push(h("p", { class: "empty", text: `Nothing found for “${query}”. Try fewer or other words.` }));
    this.sidebar.showSearch(nodes);
  }

  /**
   * @param {Api.HitShape} hit
   * @param {string} query
   */
  hit(hit, query) {
    return h(
      "a",
      { class: "hit", href: `/?chat=${hit.session_id}&at=${hit.position}`, "data-go": true },
      h("span", { class: "hit-title", dir: "auto", text: hit.title || "New chat" }),
      h("span", { class: "hit-snippet", dir: "auto" }, ...marked(hit.snippet, query)),
    );
  }
}

/**
 * The snippet in pieces, the query marked wherever it stands, upper and lower case alike.
 * @param {string} snippet
 * @param {string} query
 */
function* marked(snippet, query) {
  const escaped = query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  for (const piece of snippet.split(new RegExp(`(${escaped})`, "iu"))) {
    yield piece.toLowerCase() === query.toLowerCase() ? h("mark", { text: piece }) : piece;
  }
}
