// Summaries of the open chat: asked for, written, taken back; and why that cannot be done just now.

import { announce, toast } from "./announce.js";
import { Socket } from "./socket.js";
import { explainCompaction, whyNot } from "./summaries.js";
import { Thread } from "./thread.js";

const REPLACED = "Another summary has taken the place of this one. Copy what you wrote, and edit that one.";

export class Compaction {
  /** @param {{ thread: Thread, socket: Socket, focus(): void }} parts `focus`: where the button has gone */
  constructor({ thread, socket, focus }) {
    this.thread = thread;
    this.socket = socket;
    this.focus = focus;
  }

  /**
   * What can be done with a chat from its menu and the palette: only where it is the open one.
   * @param {Api.SessionShape} session
   * @returns {import("./commands.js").Command[]}
   */
  commands({ id }) {
    const { conversation } = this.thread;
    if (conversation?.id !== id || !conversation.loaded) return [];
    const reason = this.thread.busy() || whyNot(conversation);
    const name = "Summarise earlier messages";
    return [{ name, words: "compact context memory", icon: "fold", reason, act: () => void this.summarise() }];
  }

  async summarise() {
    await this.ask({});
  }

  /** Has the whole chat sent again; what says so gets the focus, since the button that was pressed goes. */
  async useAll() {
    const { conversation } = this.thread;
    if (!conversation || !(await this.ask({ undo: true }))) return;
    await conversation.until(() => conversation.summary?.text === "");
    announce("The whole chat is used again.");
    if (conversation === this.thread.conversation) this.thread.find(conversation.summary?.id ?? "")?.focus();
  }

  /**
   * Makes a text the summary. Where that fails it stays in its field.
   * @param {{ id: string, text: string }} edit
   */
  async rewrite({ id, text }) {
    const { conversation, editing } = this.thread;
    const reason = conversation?.summary?.id === id ? this.thread.busy() : REPLACED;
    if (reason) toast(reason);
    else if (await this.ask({ text })) {
      if (editing.of === id) editing.end();
      this.thread.draw();
      announce("The summary is saved.");
      this.focus();
    }
  }

  /**
   * Resolves with whether it was done; says why not.
   * @param {{ text?: string, undo?: boolean }} what
   */
  async ask(what) {
    const { conversation } = this.thread;
    if (!conversation) return false;
    conversation.unsummarised = null;
    try {
      await this.socket.call("session.compact", { session_id: conversation.id, ...what });
      return true;
    } catch (error) {
      toast(explainCompaction(error));
      return false;
    }
  }
}
