// What is written on this page on its way to the server: sent, stopped, taken back, given back where it found no chat.

import { announce, toast } from "./announce.js";
import { Composer } from "./composer.js";
import { Outbox } from "./outbox.js";
import { NOT_OFFERED, Profiles } from "./profiles.js";
import { Scroll } from "./scroll.js";
import { Sessions } from "./sessions.js";
import { Socket } from "./socket.js";
import { Steering } from "./steering.js";
import { Storage } from "./storage.js";
import { Thread } from "./thread.js";
import { explain } from "./words.js";

/** The open conversation is the thread's; where there is none, a text makes a new chat. */
export class Sending {
  beginning = false; // a chat is being made

  /**
   * @param {{
   *   thread: Thread, composer: Composer, steering: Steering, outbox: Outbox, scroll: Scroll, sessions: Sessions,
   *   socket: Socket, storage: Storage, profiles: Profiles, go(address: string): void,
   * }} parts
   */
  constructor({ thread, composer, steering, outbox, scroll, sessions, socket, storage, profiles, go }) {
    this.thread = thread;
    this.composer = composer;
    this.steering = steering;
    this.outbox = outbox;
    this.scroll = scroll;
    this.sessions = sessions;
    this.socket = socket;
    this.storage = storage;
    this.profiles = profiles;
    this.go = go;
    outbox.on("edited", ({ entry, result }) => {
      if (entry.session_id === this.conversation?.id) this.conversation?.edited(result);
    });
    outbox.on("started", ({ entry, result }) => this.started(entry, result));
  }

  get conversation() {
    return this.thread.conversation;
  }

  /**
   * @param {string} text
   * @param {Api.FileShape[]} [files]
   */
  send(text, files = []) {
    const { conversation } = this;
    if (conversation?.hasNewer) void this.thread.toLatest();
    this.scroll.atEnd = true;
    this.steering.forget();
    const more = { revision: conversation?.revision, ...(files.length ? { files } : {}) };
    this.outbox.send(conversation?.id ?? null, text, more);
    this.composer.sent(text);
    this.composer.focus();
    if (conversation) this.awaitAnswer();
    else void this.begin();
  }

  /** The end of the answer to what is on its way is said, even where all of it comes with the chat. */
  awaitAnswer() {
    const { conversation } = this;
    if (conversation) conversation.awaited = this.outbox.of(conversation.id).at(-1)?.message_id ?? conversation.awaited;
  }

  /**
   * @param {Page.Entry} entry
   * @param {Api.StartResult} result
   */
  started(entry, { message, run_id, queued }) {
    const { conversation } = this;
    if (!conversation || entry.session_id !== conversation.id) return;
    if (queued) {
      const { id, text, files = null } = message;
      conversation.queue({ run_id, message_id: id, text, files, kind: "message" });
    } else if (message.position !== null) conversation.add(message);
  }

  /** Makes the chat for what was said on the page of a new one. */
  async begin() {
    if (this.beginning) return;
    this.beginning = true;
    const profile = this.profiles.get(this.profiles.chosen)?.id;
    try {
      await this.socket.ready();
      const { session } = await this.socket.call("session.create", profile ? { profile } : {});
      this.sessions.put(session);
      this.profiles.choose(null);
      this.outbox.adopt(session.id);
      if (!this.conversation) this.settle(session.id);
    } catch (error) {
      this.giveBack();
      toast(
        (await this.profiles.isRefused(error, profile))
          ? NOT_OFFERED
          : this.profiles.whyGone(undefined) || explain(error),
      );
    } finally {
      this.beginning = false;
    }
  }

  /**
   * Goes over from the page of a new chat to the chat, with what is being written.
   * @param {string} id
   */
  settle(id) {
    this.storage.keepDraft(id, this.composer.text);
    this.storage.keepDraft(null, null);
    this.composer.attachments.adopt(id);
    this.go(`?chat=${id}`);
  }

  /** What found no chat becomes a draft again: after a failure, and after a reload in between. */
  giveBack() {
    const entries = this.outbox.of(null);
    for (const entry of entries) this.outbox.drop(entry);
    const texts = [...entries.map((entry) => entry.text), this.storage.draft(null)].filter(Boolean);
    this.storage.keepDraft(null, texts.join("\n\n"));
    this.composer.attachments.putBack(
      null,
      entries.flatMap(({ files }) => files ?? []),
    );
    if (!this.conversation) this.composer.open(null);
  }

  /**
   * Takes back what is on its way, to be changed where it was written.
   * @param {Page.Entry} entry
   */
  reclaim(entry) {
    this.outbox.drop(entry);
    if (!entry.edits || !this.thread.edit(entry.edits, entry.text)) this.composer.edit(entry.text, entry.files);
  }

  /**
   * Goes to the page of a new chat with a text that this one has no room for.
   * @param {string} text
   */
  startOver(text) {
    this.go("./");
    this.composer.edit(text);
  }

  async stop() {
    try {
      await this.conversation?.stop();
    } catch (error) {
      toast(explain(error));
    }
  }

  /**
   * Puts what was not begun where it was written.
   * @param {Api.QueuedShape} entry
   */
  takeBack({ text, files, error }) {
    if (text || files?.length) this.composer.edit(text, files ?? []);
    if (error) toast(error.text);
  }

  /** @param {Api.QueuedShape} entry */
  async withdraw(entry) {
    const { conversation } = this; // another one may be open when the answer comes
    try {
      const answer = await conversation?.stop(entry.run_id);
      if (!answer?.stopped) return;
      conversation?.unqueue(entry.run_id);
      this.takeBack(entry);
      announce(entry.text ? "Withdrawn. The text is in the message box again." : "Withdrawn.");
    } catch (error) {
      toast(explain(error));
    }
  }
}
