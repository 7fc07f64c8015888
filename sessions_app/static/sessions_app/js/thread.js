// The conversation on the screen.

import { block, focusStep, showRating } from "./actions.js";
import { announce, toast } from "./announce.js";
import { gliding, greeting, newerItem, olderItems, skeleton } from "./blank.js";
import { whyBusy } from "./busy.js";
import { Conversation } from "./conversation.js";
import { $, reconcile, within } from "./dom.js";
import { Editing } from "./editing.js";
import { Emitter } from "./events.js";
import { openFold } from "./kept.js";
import { drawnWith, fetchPart, using } from "./later.js";
import { Markdown } from "./markdown.js";
import { MessageItems } from "./message_items.js";
import { unsummarisedItems } from "./notes.js";
import { Outbox } from "./outbox.js";
import { PendingItems } from "./pending_items.js";
import { whenReleased } from "./press.js";
import { Scroll } from "./scroll.js";
import { Socket } from "./socket.js";
import { keepingFocus } from "./steps.js";
import { Turning } from "./turning.js";
import { versionWords } from "./versions.js";

/**
 * Tells "edited" with what is to be said in the place of a message, and "unedited" with what was written so where the
 * message is no longer shown. "rewritten" with what is to be the summary in the place of one, whose field stays open.
 * @extends {Emitter<{ edited: { id: string, text: string }, unedited: string, rewritten: { id: string, text: string } }>}
 */
export class Thread extends Emitter {
  /**
   * @param {{
   *   markdown: Markdown, outbox: Outbox, socket: Socket, scroll: Scroll, maxText: number, actions: Page.Actions,
   * }} parts
   */
  constructor({ markdown, outbox, socket, scroll, maxText, actions }) {
    super();
    this.scroll = scroll;
    this.box = $("thread");
    /** @type {Conversation | null} */
    this.conversation = null;
    this.actions = actions;
    this.editing = new Editing(maxText);
    this.pending = new PendingItems({ outbox, socket, actions });
    this.shown = new MessageItems({ markdown, actions, editing: this.editing, redraw: () => this.draw() });
    /** @type {Page.LaterParts["found"] | undefined} */
    this.found = undefined; // once something was looked for
    this.turning = new Turning(scroll, (id) => this.find(id));
    this.editing.on("sent", (edit) => this.sendEdit(edit));
    this.editing.on("left", (id) => this.leaveEditor(id));
    outbox.on("change", () => this.draw());
    socket.on("state", () => this.draw());
    scroll.on("top", () => this.older());
    scroll.on("bottom", () => void this.conversation?.newer());
    scroll.on("latest", () => void this.toLatest());
  }

  /**
   * Shows a conversation, or with null the page for a new one.
   * @param {Conversation | null} conversation
   */
  open(conversation) {
    this.conversation = conversation;
    this.shown.forget();
    this.editing.suspend();
    this.box.replaceChildren();
    this.found?.clearFound();
    conversation?.on("change", () => conversation === this.conversation && this.draw());
    conversation?.on("run", () => conversation === this.conversation && this.drawRun());
    conversation?.on("said", (words) => conversation === this.conversation && announce(words));
    this.draw();
    this.scroll.reset();
  }

  draw() {
    whenReleased(this.drawNow);
  }

  drawNow = () => {
    this.scroll.isPart = this.conversation?.hasNewer ?? false;
    this.checkEditing();
    const { turning } = this;
    const change = () => reconcile(this.box, this.items());
    if (!turning.draw(this.conversation, change))
      keepingFocus(this.box, () => gliding(() => this.scroll.still(change)));
    this.mark();
    this.drawRunNow();
  };

  drawRun() {
    whenReleased(this.drawRunNow);
  }

  drawRunNow = () => {
    const { run, messages = [] } = this.conversation ?? {};
    if (!run || !this.shown.shows(run)) return;
    this.scroll.still(() => this.shown.showRun(run, messages));
    this.scroll.tellNews();
  };

  items() {
    const { conversation } = this;
    const pending = this.pending.items(conversation);
    if (!conversation) return pending.length ? pending : [greeting()];
    if (!conversation.loaded) return [skeleton(), ...pending];
    const end = conversation.hasNewer
      ? [newerItem()]
      : [
          ...this.approvals(conversation),
          ...unsummarisedItems(conversation, this.actions),
          ...this.pending.waiting(conversation),
          ...pending,
        ];
    const items = [...olderItems(conversation), ...this.messageItems(conversation), ...end];
    return items.length ? items : [greeting()];
  }

  /**
   * The question about calls that wait for a person.
   * @param {Conversation} conversation
   */
  approvals(conversation) {
    if (!conversation.approvals.length || conversation.run) return [];
    return drawnWith("approvals", () => this.draw())?.approvalItems(conversation, this.actions) ?? [];
  }

  /**
   * What was said and answered, each with its note under it; the running answer comes last.
   * @param {Conversation} conversation
   */
  messageItems({ messages: stored, run: present, unanswered, hasNewer, summary }) {
    const run = hasNewer ? null : present;
    const messages = this.pending.upToEdit(this.conversation, stored);
    const asked = this.busy() || this.pending.sent(this.conversation).length ? null : this.conversation?.asked();
    return this.shown.items({ messages, run, unanswered, asked, summary });
  }

  /**
   * Turns a message into a field to write in; returns whether it is one. Another one in which something was written
   * stays first.
   * @param {string} id
   * @param {string} [text] what was written in its place before
   */
  edit(id, text) {
    const message = this.message(id);
    if (!message) return false;
    const isFree = !this.editing.changes;
    if (isFree) this.editing.begin(message, text);
    else toast("Send or cancel the edit that you have begun first");
    void using("editor", ({ focusEnd }) => {
      this.draw();
      const box = this.find(this.editing.of ?? id)?.querySelector("textarea");
      if (box) focusEnd(box);
    });
    return isFree;
  }

  /** @param {{ id: string, text: string }} edit */
  sendEdit(edit) {
    if (this.editing.isSummary) {
      this.tell("rewritten", edit);
      return;
    }
    const reason = this.busy();
    if (reason) {
      toast(reason);
      return;
    }
    this.editing.end();
    this.tell("edited", edit);
  }

  /**
   * The message stays as it was.
   * @param {string} id
   */
  leaveEditor(id) {
    this.draw();
    const node = this.find(id);
    if (node) within(node, '[data-steers="edit"]').focus();
  }

  /** The message may have gone, with the line that it was part of. */
  checkEditing() {
    const { of } = this.editing;
    if (of === null || !this.conversation?.loaded || this.message(of)) return;
    const text = this.editing.changes;
    this.editing.end();
    if (text) this.tell("unedited", text);
  }

  /** Why the conversation cannot go on from an earlier place just now; empty where it can. */
  busy() {
    return whyBusy(this.conversation, this.pending.sent(this.conversation));
  }

  /** Says on the buttons of all messages how things stand. */
  mark() {
    block(this.box, this.busy());
    const nodes = new Map(this.children().map((node) => [node.dataset.key, node]));
    for (const message of this.conversation?.messages ?? []) {
      const node = nodes.get(message.id);
      if (node && message.role === "assistant") showRating(node, message);
    }
  }

  /**
   * Shows another version in the place of one.
   * @param {Page.Versions} versions
   * @param {string} to
   * @param {HTMLElement} button that was pressed
   */
  async turnTo(versions, to, button) {
    const { conversation } = this;
    const end = conversation && (await this.turning.turn(conversation, versions, to, button));
    if (!end || conversation !== this.conversation) return;
    focusStep(end, button.dataset.steers);
    announce(versionWords({ ...versions, at: versions.ids.indexOf(to) }));
  }

  /**
   * The element of a text within an answer.
   * @param {string} id of its message
   * @returns {HTMLElement | null}
   */
  textOf(id) {
    return this.box.querySelector(`[data-key="text:${id}"]`);
  }

  /** @param {string} id */
  message(id) {
    return this.conversation?.messages.find((message) => message.id === id);
  }

  children() {
    return /** @type {HTMLElement[]} */ ([...this.box.children]);
  }

  /**
   * The element of a message, where it is shown.
   * @param {string} id
   */
  find(id) {
    return this.children().find(({ dataset }) => dataset.key === id || dataset.holds?.split(" ").includes(id));
  }

  async older() {
    const { conversation } = this;
    if (conversation?.loaded && conversation.hasMore && !conversation.fetching && (await conversation.older()))
      this.scroll.reach();
  }

  /** Goes to the end of the conversation from a place further up. */
  async toLatest() {
    await this.conversation?.toLatest();
    this.scroll.toEnd();
  }

  /**
   * Shows a message, loading the place where it stands if needed, and marks what was looked for in it. Rejects where
   * that place can not be had.
   * @param {string} messageId
   * @param {string} query
   */
  async goTo(messageId, query) {
    const { conversation } = this;
    await conversation?.visit(messageId);
    const { kind, text } = this.message(messageId) ?? {};
    if (kind) await this.prepareDivider(text ?? "");
    const node = conversation === this.conversation && (this.textOf(messageId) ?? this.find(messageId));
    if (!node) return;
    const focused = openFold(node.closest("article") ?? node);
    // Without its marks the place is shown all the same.
    this.found = await fetchPart("found").catch(() => undefined);
    this.scroll.show(this.found?.markFound(node, query) ?? node);
    focused.focus({ preventScroll: true });
  }

  /**
   * Has the line of a message shown, whose text it opens to.
   * @param {string} text
   */
  async prepareDivider(text) {
    await Promise.all([this.conversation?.prepareTexts(text ? [text] : []), fetchPart("dividers")]);
    this.draw();
  }
}
