// Summaries of the open chat: asked for, written, taken back; and why that cannot be done just now.

import { announce, toast } from "./announce.js";
import { Conversation } from "./conversation.js";
import { Refused, Socket } from "./socket.js";
import { Thread } from "./thread.js";
import { CONFLICT, explain } from "./words.js";

const EMPTY = "Nothing was said in this chat yet";
const NOTHING_NEW = "Nothing was said since the last summary";
const REPLACED = "Another summary has taken the place of this one. Copy what you wrote, and edit that one.";

export class Compaction {
  /** @param {{ thread: Thread, socket: Socket, focus(): void }} parts `focus`: where the button has gone */
  constructor({ thread, socket, focus }) {
    this.thread = thread;
    this.socket = socket;
    this.focus = focus;
    thread.on("rewritten", (edit) => void this.rewrite(edit));
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

/**
 * Why a chat cannot be summarised, as far as is known here; empty where the server may have something to summarise.
 * @param {Pick<Conversation, "messages" | "hasNewer">} conversation
 */
export function whyNot({ messages, hasNewer }) {
  const last = messages.at(-1);
  if (!last) return EMPTY;
  const said = messages.findLast(({ kind }) => !kind);
  const isNew = hasNewer || last.kind !== "summary" || !last.text || !last.model || said?.role === "user";
  return isNew ? "" : NOTHING_NEW;
}

/**
 * Of what is in the way the server says what it is.
 * @param {unknown} error
 */
export function explainCompaction(error) {
  const isInTheWay = error instanceof Refused && error.code === CONFLICT;
  return isInTheWay ? `${error.message} The chat is as it was.` : explain(error);
}
