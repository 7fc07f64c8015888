// Going on from an earlier place: does what the buttons under the messages ask for, and says what came of it.

import { announce, toast } from "./announce.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { $ } from "./dom.js";
import { Outbox } from "./outbox.js";
import { NOT_OFFERED, Profiles } from "./profiles.js";
import { Scroll } from "./scroll.js";
import { Sessions } from "./sessions.js";
import { Refused, Socket } from "./socket.js";
import { Storage } from "./storage.js";
import { Thread } from "./thread.js";
import { CONFLICT, ELSEWHERE, explainSteering, isOvertaken } from "./words.js";

/** The buttons' deeds; the open conversation is the thread's. */
export class Steering {
  /**
   * @param {{
   *   thread: Thread, composer: Composer, outbox: Outbox, scroll: Scroll, sessions: Sessions, socket: Socket,
   *   storage: Storage, profiles: Profiles, go(address: string): void,
   * }} parts
   */
  constructor({ thread, composer, outbox, scroll, sessions, socket, storage, profiles, go }) {
    this.thread = thread;
    this.composer = composer;
    this.outbox = outbox;
    this.scroll = scroll;
    this.sessions = sessions;
    this.socket = socket;
    this.storage = storage;
    this.profiles = profiles;
    this.go = go;
    this.line = $("elsewhere");
    $("elsewhere-close").addEventListener("click", () => this.forget());
    outbox.on("returned", ({ entries, error }) => this.giveBack(entries, error));
    thread.editing.on("change", () => this.keepEdit());
    thread.on("edited", ({ id, text }) => this.sendEdit(id, text));
    thread.on("unedited", (text) => this.moveEdit(text));
  }

  /** What was said of the chat that was open is of no interest any more. */
  forget() {
    if (this.line.contains(document.activeElement)) this.focus();
    this.line.hidden = true;
  }

  /**
   * Goes on with an edit of this chat that was left (by a reload, for another chat, by a tab that is gone), once its
   * messages are here.
   * @param {Conversation} conversation
   */
  async resume(conversation) {
    const isOpen = () => conversation === this.thread.conversation;
    const name = editOf(conversation.id);
    const kept = this.storage.draft(name) || (await this.storage.takeOverDraft(name, isOpen));
    if (!kept) return;
    await conversation.whenLoaded();
    if (!isOpen()) return;
    /** @type {{ id: string, text: string }} */
    const { id, text } = JSON.parse(kept);
    if (!this.thread.edit(id, text)) this.moveEdit(text);
  }

  keepEdit() {
    const { conversation, editing } = this.thread;
    const { of: id, changes: text } = editing;
    if (conversation) this.storage.keepDraft(editOf(conversation.id), text && JSON.stringify({ id, text }));
  }

  /** @param {string} session */
  dropEdit(session) {
    this.storage.keepDraft(editOf(session), null);
  }

  /**
   * The message in whose place a text was written is no longer shown: the text is kept where there is always room.
   * @param {string} text
   */
  moveEdit(text) {
    this.keepEdit();
    this.composer.edit(text);
  }

  /** Edits the last message that was said here; returns whether there is one. */
  editLast() {
    const asked = this.thread.conversation?.asked();
    if (!asked || this.thread.busy()) return false;
    return this.thread.edit(asked.id);
  }

  /**
   * @param {string} id of the message in whose place the text is said
   * @param {string} text
   */
  sendEdit(id, text) {
    const { conversation } = this.thread;
    if (!conversation) return;
    this.scroll.atEnd = true;
    this.outbox.send(conversation.id, text, { edits: id, revision: conversation.revision });
    this.focus();
  }

  /**
   * @param {string} [answerId]
   * @param {number} [profile] whose model is to answer this once
   */
  async regenerate(answerId, profile) {
    const { conversation } = this.thread;
    await this.attempt(conversation, async () => {
      await conversation?.regenerate(answerId, profile).catch((error) => this.checkProfile(error, profile));
      if (conversation !== this.thread.conversation) return;
      this.scroll.toEnd();
      this.focus();
    });
  }

  /**
   * Rejects with what was wrong, in words where it was the profile.
   * @param {unknown} error
   * @param {number | undefined} profile
   */
  async checkProfile(error, profile) {
    if (!(await this.profiles.isRefused(error, profile))) throw error;
    throw new Refused({ code: CONFLICT, message: NOT_OFFERED });
  }

  /**
   * Shows another version in the place of one.
   * @param {Page.Versions} versions
   * @param {string} id
   * @param {HTMLElement} button
   */
  async select(versions, id, button) {
    await this.attempt(this.thread.conversation, () => this.thread.turnTo(versions, id, button));
  }

  /**
   * The same button again takes a rating back.
   * @param {Page.Message} message
   * @param {1 | -1} rating
   */
  async rate(message, rating) {
    const { conversation } = this.thread;
    const present = conversation?.messages.find((other) => other.id === message.id)?.rating;
    const next = present === rating ? null : rating;
    await this.attempt(conversation, async () => {
      await conversation?.rate(message, next);
      announce(next === null ? "Rating taken back" : next === 1 ? "Rated as a good answer" : "Rated as a poor answer");
    });
  }

  /**
   * @param {Page.Message} message the result of a call that has proposed what to remember
   * @param {boolean} save
   */
  async decide(message, save) {
    const { conversation } = this.thread;
    await this.attempt(conversation, async () => {
      await conversation?.decide(message, save);
      announce(save ? "It is remembered." : "It is not remembered.");
    });
    this.focus();
  }

  /** @param {Page.Message} message */
  async fork(message) {
    await this.attempt(this.thread.conversation, async () => {
      const { session } = await this.socket.call("session.fork", { message_id: message.id });
      this.sessions.put(session);
      this.go(`?chat=${session.id}`);
      this.focus();
      toast("A new chat, with all up to that answer");
    });
  }

  /**
   * @param {Conversation | null} conversation
   * @param {() => unknown} call
   */
  async attempt(conversation, call) {
    try {
      await call();
    } catch (error) {
      toast(explainSteering(error));
      if (isOvertaken(error)) conversation?.follow();
    }
  }

  /**
   * What was not taken goes back to where it was written, whether its chat is still open or not.
   * @param {Page.Entry[]} entries
   * @param {unknown} error
   */
  giveBack(entries, error) {
    const { conversation } = this.thread;
    const [first] = entries;
    const isOpen = first?.session_id === conversation?.id;
    const isEdited = isOpen && first?.edits && this.thread.edit(first.edits, first.text);
    const texts = entries.slice(isEdited ? 1 : 0).map((entry) => entry.text);
    const files = entries.flatMap((entry) => entry.files ?? []);
    if (isOpen && (texts.length || files.length)) this.composer.edit(texts.join("\n\n"), files);
    else if (first && !isOpen) this.keep(first.session_id, texts);
    if (isOpen && isOvertaken(error)) {
      conversation?.follow();
      this.tellElsewhere();
    } else if (isOpen && !first?.edits) this.composer.refuse(explainSteering(error));
    else toast(explainSteering(error));
  }

  /**
   * @param {string | null} session
   * @param {string[]} texts
   */
  keep(session, texts) {
    this.storage.keepDraft(session, [...texts, this.storage.draft(session)].filter(Boolean).join("\n\n"));
  }

  tellElsewhere() {
    this.line.hidden = false;
    announce(`${ELSEWHERE} Your text is kept, and was not sent.`);
  }

  /** Where the button that was pressed has gone, writing goes on; a finger has no use for a keyboard on the screen. */
  focus() {
    if (this.composer.touch) $("scroller").focus({ preventScroll: true });
    else this.composer.focus();
  }
}

/**
 * The name under which an edit that is not sent is kept, beside the draft of its chat.
 * @param {string} session
 */
const editOf = (session) => `${session}/edit`;
