// What can be done with a chat: its menu.

import { toast } from "./announce.js";
import { Compaction } from "./compaction.js";
import { $, h } from "./dom.js";
import { Features } from "./features.js";
import { using } from "./later.js";
import { confirm, openMenu } from "./popups.js";
import { Profiles } from "./profiles.js";
import { rename } from "./renaming.js";
import { titleOf } from "./session_groups.js";
import { Sessions } from "./sessions.js";
import { Socket } from "./socket.js";
import { explain } from "./words.js";

const NO_SHARING = "Your account may not share chats. Ask an administrator of this site for it.";

export class ChatMenu {
  /**
   * @param {{
   *   sessions: Sessions, socket: Socket, profiles: Profiles, features: Features,
   *   compaction: ConstructorParameters<typeof Compaction>[0],
   * }} parts `compaction`: what the summaries of the open chat are made with
   */
  constructor({ sessions, socket, profiles, features, compaction }) {
    this.features = features;
    this.profiles = profiles;
    this.compaction = new Compaction(compaction);
    this.sessions = sessions;
    this.socket = socket;
  }

  /**
   * @param {Api.SessionShape} session
   * @param {HTMLElement} button
   * @param {HTMLElement} title shows the chat's title beside the button: renaming takes its place
   */
  open(session, button, title) {
    const entries = this.commands(session, title).map(({ name, icon, act, reason, checked }) => ({
      label: name,
      act,
      reason,
      ...(checked !== undefined && { checked, isSwitch: true }),
      ...(icon === "delete" && { kind: "danger" }),
    }));
    openMenu(button, entries);
  }

  /**
   * @param {Api.SessionShape} session
   * @param {HTMLElement} title
   * @returns {import("./commands.js").Command[]}
   */
  commands(session, title) {
    const { pinned, archived } = session;
    const save = (/** @type {string} */ written) => this.change(session, { title: written }, "Renamed");
    const pin = () => void this.change(session, { pinned: !pinned }, pinned ? "Unpinned" : "Pinned");
    const showUsage = () => void using("ledger", ({ openLedger }) => openLedger(this.socket, session));
    return [
      { name: "Rename", words: "title", icon: "edit", act: () => rename(session.title, title, save) },
      { name: pinned ? "Unpin" : "Pin", icon: "pin", act: pin },
      { name: archived ? "Unarchive" : "Archive", icon: "archive", act: () => void this.archive(session, !archived) },
      ...this.compaction.commands(session),
      ...this.memoryCommands(session),
      { name: "Usage", words: "tokens cost", icon: "usage", act: showUsage },
      this.sharing(session),
      { name: "Export as Markdown", words: "download save", icon: "down", act: () => download(session, "markdown") },
      { name: "Export as JSON", words: "download save", icon: "down", act: () => download(session, "json") },
      { name: "Delete …", words: "remove", icon: "delete", act: () => void this.delete(session) },
    ].map((command) => ({ ...command, isHere: true }));
  }

  /**
   * @param {Api.SessionShape} session
   * @returns {import("./commands.js").Command}
   */
  sharing(session) {
    const empty = session.message_count ? "" : "There is nothing in this chat to share yet.";
    const reason = this.features.has("sharing") ? empty : NO_SHARING;
    const act = () => void using("sharing", ({ openSharing }) => openSharing(this.socket, session));
    return { name: "Share …", words: "link publish", icon: "share", reason, act };
  }

  /**
   * A switch, where the chat's profile has memory at all.
   * @param {Api.SessionShape} session
   * @returns {import("./commands.js").Command[]}
   */
  memoryCommands(session) {
    const { memory, profile } = session;
    if (profile === null || this.profiles.get(profile)?.memory === false) return [];
    const done = memory ? "Memory is off in this chat" : "Memory is on in this chat";
    const act = () => void this.change(session, { memory: !memory }, done);
    return [{ name: "Use memory in this chat", words: "remember", icon: "thought", act, checked: memory }];
  }

  /**
   * @param {Api.SessionShape} session
   * @param {boolean} archived
   */
  async archive(session, archived) {
    const undo = () => void this.change(session, { archived: !archived }, archived ? "Unarchived" : "Archived");
    await this.change(session, { archived }, archived ? "Archived" : "Unarchived", ["Undo", undo]);
  }

  /**
   * Resolves with whether it was done.
   * @param {Api.SessionShape} session
   * @param {Parameters<Sessions["update"]>[1]} changes
   * @param {string} done what to say then
   * @param {Page.Choice} [choice] what to offer then
   */
  async change(session, changes, done, choice) {
    let worked = true;
    try {
      await this.sessions.update(session.id, changes);
      toast(done, choice);
    } catch (error) {
      worked = false;
      toast(explain(error));
    }
    keepFocus();
    return worked;
  }

  /** @param {Api.SessionShape} session */
  async delete(session) {
    const sure = await confirm({
      title: `Delete “${titleOf(session)}”?`,
      text: "All its messages are deleted, too. This cannot be undone.",
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
}

/**
 * Has the browser save a chat as a file.
 * @param {Api.SessionShape} session
 * @param {"json" | "markdown"} format
 */
function download({ id }, format) {
  h("a", { href: `api/sessions/${id}/export?format=${format}`, download: true }).click();
}

/** Where the row that had the focus has gone, the keyboard goes on from the top of the list. */
function keepFocus() {
  if (document.activeElement === document.body) $("new-chat").focus();
}
