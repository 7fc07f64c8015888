// The list of chats at the side, each with its mark and its menu.

import { $, h, iconButton, reconcile } from "./dom.js";
import { using } from "./later.js";
import { Marks } from "./marks.js";
import { whenReleased } from "./press.js";
import { Retry } from "./retry.js";
import { groups, titleOf } from "./session_groups.js";
import { Sessions } from "./sessions.js";
import { Socket } from "./socket.js";

export class Sidebar {
  /**
   * @param {{
   *   sessions: Sessions, socket: Socket, marks: Marks,
   *   menu: ConstructorParameters<typeof import("./chat_menu.js").ChatMenu>[0],
   * }} parts `menu`: what the menus of chats are made of
   */
  constructor({ sessions, socket, marks, menu }) {
    this.sessions = sessions;
    this.socket = socket;
    this.marks = marks;
    this.menu = menu;
    this.box = $("sessions");
    this.list = h("div");
    /** @type {string | null} */
    this.current = null;
    this.box.append(this.list);
    this.box.addEventListener("scroll", () => this.more(), { passive: true });
    sessions.on("change", () => this.draw());
    marks.on("change", () => this.draw());
    const button = $("chat-menu");
    button.addEventListener("click", () => {
      const session = sessions.get(this.current);
      if (session) this.openMenu(session, button, $("title"));
    });
    this.draw();
  }

  /**
   * @param {Api.SessionShape} session
   * @param {HTMLElement} button
   * @param {HTMLElement} title shows the chat's title beside the button
   */
  openMenu(session, button, title) {
    void using("chatMenu", ({ ChatMenu }) => new ChatMenu(this.menu).open(session, button, title));
  }

  /** @param {string | null} id */
  mark(id) {
    this.current = id;
    const session = this.sessions.get(id);
    $("chat-menu").hidden = !session;
    $("archived").hidden = !session?.archived;
    /** @type {NodeListOf<HTMLAnchorElement>} */
    const links = this.box.querySelectorAll("a[data-session]");
    for (const link of links) markLink(link, id);
  }

  /** Loads on when the end of the list comes near, or when it does not fill its box yet. */
  more() {
    if (this.socket.state !== "open" || this.sessions.complete) return;
    // Read last: it makes the browser lay the page out at once.
    const left = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight;
    if (left < 300) this.sessions.more();
  }

  draw() {
    whenReleased(this.drawNow);
  }

  drawNow = () => {
    const { shown, complete, archived, trying } = this.sessions;
    this.box.setAttribute("aria-busy", String(!complete && !shown.length));
    /** @type {Page.Item[]} */
    const items = groups(shown, archived).flatMap(([heading, group]) => [
      { key: `h:${heading}`, version: "", build: () => h("h2", { text: heading }) },
      ...group.map((session) => this.item(session, heading)),
    ]);
    if (trying.troubled) items.push(troubleItem(trying));
    else if (!shown.length) items.push(complete ? emptyItem(archived) : skeletonItem());
    items.push({ key: "foot", version: String(archived), build: () => this.foot(archived) });
    reconcile(this.list, items);
    this.mark(this.current);
    this.more();
  };

  /**
   * @param {Api.SessionShape} session
   * @param {string} heading
   * @returns {Page.Item}
   */
  item(session, heading) {
    const mark = this.marks.of(session.id);
    return {
      key: session.id,
      version: `${session.title}:${session.pinned}:${session.archived}:${heading === "Pinned"}:${mark}`,
      build: () => this.row(session, mark),
    };
  }

  /**
   * @param {Api.SessionShape} session
   * @param {import("./marks.js").Mark} mark
   */
  row(session, mark) {
    const link = h(
      "a",
      { href: `?chat=${session.id}`, "data-go": true, data: { session: session.id }, title: session.title },
      h("span", { class: "session-title", dir: "auto", text: titleOf(session) }),
      ...markNodes(mark),
    );
    markLink(link, this.current);
    const button = iconButton("more", `Options of “${titleOf(session)}”`, () =>
      this.openMenu(this.sessions.get(session.id) ?? session, button, link),
    );
    button.setAttribute("aria-haspopup", "menu");
    return h("div", { class: "session" }, link, button);
  }

  /** @param {boolean} archived */
  foot(archived) {
    return h("button", {
      class: "foot",
      type: "button",
      text: archived ? "Back to all chats" : "Archived chats",
      on: { click: () => this.sessions.show(!archived) },
    });
  }
}

/** @type {Record<string, string>} */
const MARKS = { running: "an answer is being written", unread: "new answer" };

/** @param {import("./marks.js").Mark} mark */
function markNodes(mark) {
  if (mark === "draft") return [h("span", { class: "session-draft", text: "Draft" })];
  if (mark === "asks") return [h("span", { class: "session-draft asks", text: "Asks you" })];
  const words = MARKS[mark];
  if (!words) return [];
  return [h("span", { class: `dot ${mark}` }), h("span", { class: "visually-hidden", text: `(${words})` })];
}

/**
 * @param {HTMLAnchorElement} link
 * @param {string | null} id
 */
function markLink(link, id) {
  if (link.dataset.session === id) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}

/** @param {boolean} archived */
function emptyItem(archived) {
  const text = archived ? "Nothing is archived." : "No chats yet. Write a message and this is where you find it again.";
  return { key: "empty", version: text, build: () => h("p", { class: "empty", text }) };
}

/** @returns {Page.Item} */
function skeletonItem() {
  const lines = Array.from({ length: 6 }, () => h("div", { class: "skeleton" }));
  return {
    key: "skeleton",
    version: "",
    build: () => h("div", { role: "img", "aria-label": "Loading your chats" }, ...lines),
  };
}

/** @param {Retry} trying */
function troubleItem(trying) {
  const button = () =>
    h("button", { class: "link-button", type: "button", text: "Try now", on: { click: () => trying.now() } });
  const build = () => h("p", { class: "empty" }, "Your chats could not be loaded. It is being tried again. ", button());
  return { key: "trouble", version: "", build };
}
