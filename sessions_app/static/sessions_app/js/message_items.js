// The messages of a conversation as they stand on the screen: what users say, answers, the answer that is being written.

import { answerButtons, editButton, versionButtons } from "./actions.js";
import { answerElement, putActions, showStored } from "./answer.js";
import { Editing } from "./editing.js";
import { drawnWith } from "./later.js";
import { Markdown } from "./markdown.js";
import { userMessage } from "./message.js";
import { noteItems, noteOf } from "./notes.js";
import { blocksOf, groupsOf, isAsked, isAwaited, partsOf } from "./parts.js";
import { Run } from "./run.js";
import { StreamView } from "./stream.js";
import { answersOf, versionsOf } from "./versions.js";

export class MessageItems {
  /**
   * @param {{ markdown: Markdown, actions: Page.Actions, editing: Editing, redraw(): void }} parts `redraw`: what could
   *   not be drawn yet can be by now
   */
  constructor({ markdown, actions, editing, redraw }) {
    this.markdown = markdown;
    this.actions = actions;
    this.editing = editing;
    this.redraw = redraw;
    this.forget();
  }

  /** Another conversation is shown. */
  forget() {
    /** @type {{ id: string, view: StreamView } | null} */
    this.stream = null; // the view of the newest run
    /** @type {Page.Message | undefined} */
    this.summary = undefined; // the one in force
  }

  /**
   * What was said and answered, each with its note under it; the running answer comes last.
   * @param {{
   *   messages: Page.Message[], run: Run | null, unanswered: string | null, asked: Page.Message | null | undefined,
   *   summary: Page.Message | undefined,
   * }} conversation `asked`: the message that is answered, where something can be done at the end; `summary`: the one
   *   in force
   */
  items({ messages, run, unanswered, asked, summary }) {
    const isRunning = run && !run.over;
    const begun = new Set(isRunning ? begunOf(messages) : []);
    const whole = messages.filter((message) => !begun.has(message));
    const answers = answersOf(whole, run?.over ?? false);
    const groups = groupsOf(whole);
    const end = messages.findLast(({ kind }) => !kind);
    this.summary = summary;
    /** @type {Page.Message | undefined} */
    let said;
    const items = groups.flatMap((group) => {
      const item = this.group(group, said, answers, end);
      said = group.find(isAsked) ?? said;
      return [
        ...item,
        ...group.flatMap((message) => noteItems(message, unanswered, message === end ? asked : null, this.actions)),
        ...this.proposals(group),
      ];
    });
    return isRunning ? [...items, this.running(run, messages)] : items;
  }

  /**
   * Whether this is the run whose answer is shown as it grows.
   * @param {Run} run
   */
  shows(run) {
    return !run.over && run.id === this.stream?.id;
  }

  /**
   * @param {Run} run
   * @param {Page.Message[]} messages
   */
  showRun(run, messages) {
    this.stream?.view.show(run, begunOf(messages));
  }

  /**
   * @param {Page.Message[]} group
   * @param {Page.Message | undefined} asked
   * @param {ReturnType<typeof answersOf>} answers
   * @param {Page.Message | undefined} end the last message of all
   * @returns {Page.Item[]}
   */
  group(group, asked, answers, end) {
    const [first] = group;
    if (first?.kind) return this.divider(first);
    return [first?.role === "user" ? this.user(first) : this.answer(group, asked, answers, end)];
  }

  /**
   * @param {Page.Message} message
   * @returns {Page.Item[]}
   */
  divider(message) {
    const edited = this.editor(message);
    if (edited) return [edited];
    const { markdown, actions } = this;
    const part = drawnWith("dividers", this.redraw);
    return part ? [part.dividerItem(message, { isInForce: message.id === this.summary?.id, markdown, actions })] : [];
  }

  /**
   * The field of a message that is being edited.
   * @param {Page.Message} message
   */
  editor({ id }) {
    if (this.editing.of !== id) return undefined;
    return drawnWith("editor", this.redraw)?.editorItem(this.editing, id);
  }

  /**
   * @param {Page.Message[]} group
   * @returns {Page.Item[]}
   */
  proposals(group) {
    if (!group.some(({ proposal }) => proposal)) return [];
    return drawnWith("proposals", this.redraw)?.proposalItems(group, this.actions) ?? [];
  }

  /**
   * @param {Page.Message} message
   * @returns {Page.Item}
   */
  user(message) {
    const edited = this.editor(message);
    if (edited) return edited;
    const versions = versionsOf(message);
    const build = () => userMessage(message, editButton(message, this.actions), versionButtons(versions, this.actions));
    return { key: message.id, version: `${fingerprint(message)}:${versions?.at}:${versions?.ids}`, build };
  }

  /**
   * @param {Page.Message[]} group
   * @param {Page.Message | undefined} asked
   * @param {ReturnType<typeof answersOf>} answers
   * @param {Page.Message | undefined} end
   * @returns {Page.Item}
   */
  answer(group, asked, answers, end) {
    const last = group.findLast((message) => message.role === "assistant");
    const versions = last && answers.get(last.id);
    const isEnd = last !== undefined && last === end;
    const hasNote = isEnd && noteOf(last, null)?.error !== undefined;
    const isLast = end !== undefined && group.includes(end);
    const version = `${group.map(fingerprint)}:${last?.status}:${isLast}:${hasNote}:${versions === undefined}:${versions?.at}:${versions?.ids}`;
    /** @param {HTMLElement | undefined} old */
    const build = (old) => {
      const blocks = blocksOf(partsOf(group, isLast), asked?.id ?? "");
      const element = old ?? this.takeStream(blocks) ?? answerElement();
      element.dataset.holds = group.map(({ id }) => id).join(" ");
      showStored(element, blocks, this.markdown);
      if (last && versions !== undefined)
        putActions(
          element,
          group,
          last,
          answerButtons(last, hasNote, this.actions),
          versionButtons(versions, this.actions),
        );
      return element;
    };
    return { key: (last ?? group[0])?.id ?? "", version, build };
  }

  /**
   * The element of the answer that was running until it was stored: it goes on as that.
   * @param {Page.Block[]} blocks
   */
  takeStream(blocks) {
    const view = this.stream?.view;
    if (!view?.has(blocks)) return undefined;
    this.stream = null;
    return view.leave();
  }

  /**
   * @param {Run} run
   * @param {Page.Message[]} messages
   * @returns {Page.Item}
   */
  running(run, messages) {
    const build = () => {
      const asked = messages.findLast(isAsked);
      const view = new StreamView(this.markdown, asked?.id ?? "", this.actions.stop);
      this.stream = { id: run.id, view };
      return view.element;
    };
    return { key: `run:${run.id}`, version: "", build };
  }
}

/**
 * The messages of an answer under way that are stored, at the end of these.
 * @param {Page.Message[]} messages
 */
function begunOf(messages) {
  const later = messages.slice(messages.findLastIndex(isAsked) + 1).filter(({ kind }) => !kind);
  return isAwaited(messages) ? later : [];
}

/** @type {WeakMap<Page.Message, number>} */
const fingerprints = new WeakMap();

/**
 * A number that changes with a message's text; FNV-1a, made once for each message received.
 * @param {Page.Message} message
 */
function fingerprint(message) {
  const known = fingerprints.get(message);
  if (known !== undefined) return known;
  let hash = 0x811c9dc5;
  for (let place = 0; place < message.text.length; place += 1) {
    hash = Math.imul(hash ^ message.text.charCodeAt(place), 0x01000193);
  }
  fingerprints.set(message, hash);
  return hash;
}
