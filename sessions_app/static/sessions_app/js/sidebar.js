// The list of chats at the side, with what can be done to each; a drawer on small screens.

import { toast } from "./announce.js";
import { $, h, iconButton, reconcile } from "./dom.js";
import { openLedger } from "./ledger.js";
import { confirm, openMenu } from "./popups.js";
import { explain, period } from "./words.js";

const TITLE_LENGTH = 200;

export const titleOf = (session) => session?.title || "New chat";

export class Sidebar {
  constructor({ sessions, socket }) {
    Object.assign(this, { sessions, socket });
    this.box = $("sessions");
    this.list = h("div");
    this.current = null;
    this.box.append(this.list);
    this.box.addEventListener("scroll", () => this.more(), { passive: true });
    sessions.addEventListener("change", () => this.draw());
    $("chat-menu").addEventListener("click", ({ currentTarget }) =>
      this.menu(sessions.get(this.current), currentTarget, $("title")),
    );
    this.drawer();
    this.draw();
  }

  mark(id) {
    this.current = id;
    $("chat-menu").hidden = !this.sessions.get(id);
    for (const link of this.box.querySelectorAll("a[data-session]")) markLink(link, id);
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

  item(session, heading) {
    return {
      key: session.id,
      version: `${session.title}:${session.pinned}:${session.archived}:${heading === "Pinned"}`,
      build: () => this.row(session),
    };
  }

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

  foot(archived) {
    return h("button", {
      class: "foot",
      type: "button",
      text: archived ? "Back to all chats" : "Archived chats",
      on: { click: () => this.sessions.show(!archived) },
    });
  }

  /** `title` is the element that shows the chat's title beside the button: renaming takes its place. */
  menu(session, button, title) {
    openMenu(button, [
      ["Rename", () => this.rename(session, title)],
      [
        session.pinned ? "Unpin" : "Pin to the top",
        () => this.change(session, { pinned: !session.pinned }, session.pinned ? "Unpinned" : "Pinned"),
      ],
      [
        session.archived ? "Take out of the archive" : "Archive",
        () =>
          this.change(
            session,
            { archived: !session.archived },
            session.archived ? "Taken out of the archive" : "Archived",
          ),
      ],
      ["Usage", () => openLedger(this.socket, session)],
      ["Delete …", () => this.delete(session), "danger"],
    ]);
  }

  /** Resolves with whether it was done. */
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

  /** The field stays, with what was typed, until the server has the title. */
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

function markLink(link, id) {
  if (link.dataset.session === id) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}

/** [heading, sessions] in the order shown. */
function groups(sessions, archived) {
  const found = new Map();
  for (const session of sessions) {
    const heading = session.pinned ? "Pinned" : archived ? "Archived" : period(session.updated_at);
    if (!found.has(heading)) found.set(heading, []);
    found.get(heading).push(session);
  }
  return [...found];
}

function emptyItem(archived) {
  const text = archived ? "Nothing is archived." : "No chats yet. Write a message and this is where you find it again.";
  return { key: "empty", version: text, build: () => h("p", { class: "empty", text }) };
}

function skeletonItem() {
  const lines = Array.from({ length: 6 }, () => h("div", { class: "skeleton" }));
  return {
    key: "skeleton",
    version: "",
    build: () => h("div", { role: "img", "aria-label": "Loading your chats" }, ...lines),
  };
}

function troubleItem(trying) {
  const button = () =>
    h("button", { class: "link-button", type: "button", text: "Try now", on: { click: () => trying.now() } });
  const build = () => h("p", { class: "empty" }, "Your chats could not be loaded. It is being tried again. ", button());
  return { key: "trouble", version: "", build };
}
