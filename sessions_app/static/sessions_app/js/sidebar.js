// The list of chats at the side, with what can be done to each; a drawer on small screens.

import { toast } from "./announce.js";
import { $, h, iconButton, reconcile } from "./dom.js";
import { openLedger } from "./ledger.js";
import { confirm, openMenu } from "./popups.js";
import { Retry } from "./retry.js";
import { Sessions } from "./sessions.js";
import { Socket } from "./socket.js";
import { explain, period } from "./words.js";

const TITLE_LENGTH = 200;

/** @param {Api.SessionShape | undefined} session */
export const titleOf = (session) => session?.title || "New chat";

export class Sidebar {
  /** @param {{ sessions: Sessions, socket: Socket }} parts */
  constructor({ sessions, socket }) {
    this.sessions = sessions;
    this.socket = socket;
    this.box = $("sessions");
    this.list = h("div");
    /** @type {string | null} */
    this.current = null;
    this.box.append(this.list);
    this.box.addEventListener("scroll", () => this.more(), { passive: true });
    sessions.on("change", () => this.draw());
    const button = $("chat-menu");
    button.addEventListener("click", () => {
      const session = sessions.get(this.current);
      if (session) this.menu(session, button, $("title"));
    });
    this.drawer();
    this.draw();
  }

  /** @param {string | null} id */
  mark(id) {
    this.current = id;
    $("chat-menu").hidden = !this.sessions.get(id);
    /** @type {NodeListOf<HTMLAnchorElement>} */
    const links = this.box.querySelectorAll("a[data-session]");
    for (const link of links) markLink(link, id);
  }

  /** Loads on when the end of the list comes near, or when it does not fill its box yet. */
  more() {
    const left = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight;
    if (left < 300 && this.socket.state === "open" && !this.sessions.complete && this.list.isConnected)
      this.sessions.more();
  }

  draw() {
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
  }

  /**
   * @param {Api.SessionShape} session
   * @param {string} heading
   * @returns {Page.Item}
   */
  item(session, heading) {
    return {
      key: session.id,
      version: `${session.title}:${session.pinned}:${session.archived}:${heading === "Pinned"}`,
      build: () => this.row(session),
    };
  }

  /** @param {Api.SessionShape} session */
  row(session) {
    const link = h("a", {
      href: `/?chat=${session.id}`,
      "data-go": true,
      data: { session: session.id },
      dir: "auto",
      text: titleOf(session),
      title: session.title,
    });
    markLink(link, this.current);
    const button = iconButton("more", `Options of “${titleOf(session)}”`, () =>
      this.menu(this.sessions.get(session.id) ?? session, button, link),
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

  /**
   * @param {Api.SessionShape} session
   * @param {HTMLElement} button
   * @param {HTMLElement} title shows the chat's title beside the button: renaming takes its place
   */
  menu(session, button, title) {
    openMenu(button, [
      { label: "Rename", act: () => this.rename(session, title) },
      {
        label: session.pinned ? "Unpin" : "Pin to the top",
        act: () => this.change(session, { pinned: !session.pinned }, session.pinned ? "Unpinned" : "Pinned"),
      },
      {
        label: session.archived ? "Take out of the archive" : "Archive",
        act: () =>
          this.change(
            session,
            { archived: !session.archived },
            session.archived ? "Taken out of the archive" : "Archived",
          ),
      },
      { label: "Usage", act: () => openLedger(this.socket, session) },
      { label: "Delete …", act: () => this.delete(session), kind: "danger" },
    ]);
  }

  /**
   * Resolves with whether it was done.
   * @param {Api.SessionShape} session
   * @param {Parameters<Sessions["update"]>[1]} changes
   * @param {string} done what to say then
   */
  async change(session, changes, done) {
    let worked = true;
    try {
      await this.sessions.update(session.id, changes);
      toast(done);
    } catch (error) {
      worked = false;
      toast(explain(error));
    }
    keepFocus();
    return worked;
  }

  /**
   * The field stays, with what was typed, until the server has the title.
   * @param {Api.SessionShape} session
   * @param {HTMLElement} shown
   */
  rename(session, shown) {
    const input = h("input", {
      class: "rename",
      "aria-label": "New title",
      maxlength: String(TITLE_LENGTH),
      dir: "auto",
    });
    input.value = session.title;
    const close = () => {
      const focused = document.activeElement === input;
      shown.hidden = false;
      if (focused) shown.focus();
      input.remove();
    };
    const save = async () => {
      if (input.readOnly) return; // under way, or taken out of the page, which blurs it
      const title = input.value.trim();
      input.readOnly = true;
      if (!title || title === session.title || (await this.change(session, { title }, "Renamed"))) close();
      else input.readOnly = false;
    };
    const leave = () => {
      input.readOnly = true;
      close();
    };
    input.addEventListener("keydown", (event) => {
      if (!["Enter", "Escape"].includes(event.key)) return;
      event.preventDefault();
      if (event.key === "Enter") save();
      else leave();
    });
    input.addEventListener("blur", save);
    shown.hidden = true;
    shown.after(input);
    input.focus();
    input.select();
  }

  /** @param {Api.SessionShape} session */
  async delete(session) {
    const sure = await confirm({
      title: `Delete “${titleOf(session)}”?`,
      text: "Its messages go with it, for good, in every window.",
      yes: "Delete",
    });
    if (!sure) return;
    try {
      await this.sessions.delete(session.id);
      toast("Chat deleted");
    } catch (error) {
      toast(explain(error));
    }
    keepFocus();
  }

  /**
   * Puts what was found in the place of the list; null: the list again.
   * @param {HTMLElement[] | null} nodes
   */
  showSearch(nodes) {
    this.box.replaceChildren(...(nodes ?? [this.list]));
    if (!nodes) this.draw();
  }

  drawer() {
    $("drawer-open").addEventListener("click", () => this.openDrawer());
    $("drawer-close").addEventListener("click", () => this.closeDrawer());
    $("shade").addEventListener("click", () => this.closeDrawer());
    $("sidebar").addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && this.closeDrawer()) event.preventDefault();
    });
    matchMedia("(width < 50rem)").addEventListener("change", () => this.closeDrawer());
  }

  openDrawer() {
    if (!matchMedia("(width < 50rem)").matches) return;
    $("sidebar").classList.add("shown");
    $("shade").hidden = false;
    $("main").inert = true;
    $("drawer-open").setAttribute("aria-expanded", "true");
    $("drawer-close").focus();
  }

  /** Returns whether it was open. */
  closeDrawer() {
    const open = $("sidebar").classList.contains("shown");
    $("sidebar").classList.remove("shown");
    $("shade").hidden = true;
    $("main").inert = false;
    $("drawer-open").setAttribute("aria-expanded", "false");
    if (open) $("drawer-open").focus();
    return open;
  }
}

/** Where the row that had the focus has gone, the keyboard goes on from the top of the list. */
function keepFocus() {
  if (document.activeElement === document.body) $("new-chat").focus();
}

/**
 * @param {HTMLAnchorElement} link
 * @param {string | null} id
 */
function markLink(link, id) {
  if (link.dataset.session === id) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}

/**
 * Headings with what is under them, in the order shown.
 * @param {Api.SessionShape[]} sessions
 * @param {boolean} archived
 */
function groups(sessions, archived) {
  /** @type {Map<string, Api.SessionShape[]>} */
  const found = new Map();
  for (const session of sessions) {
    const heading = session.pinned ? "Pinned" : archived ? "Archived" : period(session.updated_at);
    const group = found.get(heading);
    if (group) group.push(session);
    else found.set(heading, [session]);
  }
  return [...found];
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
