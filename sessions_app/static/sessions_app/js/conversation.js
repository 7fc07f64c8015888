// The open chat: its messages, its running answer, what waits. State kept true to the server's; the page shows it.
//
// It is fetched when it is opened, on each new connection, and where something of the running answer or a change by
// another program is missing. The answer is one moment: it says by `cursor` which facts are in it, and by `seq` which
// events of the run. All that happens later comes after it, and is applied as it comes.
// Where session.open fails for a passing reason it is tried again (`trying`), and what is shown stays; so it is with older
// pages (`tryingOlder`). Only a chat that is not found is left.
//
// What is here may be a place further up (`hasNewer`), with nothing after it: not what happens at the end either.

import { Emitter } from "./events.js";
import { Journal } from "./journal.js";
import { Markdown } from "./markdown.js";
import { joined, meets, placeOf } from "./pages.js";
import { isPassing, Retry } from "./retry.js";
import { Run } from "./run.js";
import { Disconnected, Refused, Socket } from "./socket.js";
import { CONFLICT, explainFinish, INVALID, NOT_FOUND } from "./words.js";

const PAGE = 50;
const LONG_PAGE = 200;

/**
 * Events: "change" (messages, queue), "run" (the running answer grew), "session" (as session.open tells it),
 * "said" (a sentence for everybody), "gone" (the chat is no longer there; with why it was not found, or null where it
 * was deleted), "failed" (why there is no answer in the place of another, which is shown again).
 * @extends {Emitter<{
 *   change: undefined, run: undefined, session: Api.SessionShape, said: string, gone: Refused | null,
 *   failed: Api.ErrorShape,
 * }>}
 */
export class Conversation extends Emitter {
  /** @param {{ socket: Socket, journal: Journal, markdown: Markdown, id: string }} parts */
  constructor({ socket, journal, markdown, id }) {
    super();
    this.socket = socket;
    this.markdown = markdown;
    this.id = id;
    /** @type {Page.Message[]} */
    this.messages = [];
    this.hasMore = false;
    this.hasNewer = false;
    this.returning = false; // from a place further up to the end: the next answer to session.open brings it
    /** @type {Run | null} */
    this.run = null;
    /** @type {Api.QueuedShape[]} */
    this.queued = [];
    /** @type {string | null} */
    this.unanswered = null; // id of the last message, where it got no answer and no turn is at work on it
    this.cursor = 0; // of the facts that are in what was fetched
    this.opened = false;
    this.loaded = false; // opened, and ready to be shown
    this.trying = new Retry(socket);
    this.tryingOlder = new Retry(socket);
    this.tryingOlder.on("change", () => this.changed());
    /** @type {Promise<boolean> | null} */
    this.fetching = null; // a page of older messages
    /** @type {Promise<void> | null} */
    this.fetchingNewer = null;
    this.opening = false;
    this.rewritten = false; // elsewhere: what was fetched before may no longer be so
    this.left = false; // another line was chosen elsewhere: what is told is of that one
    /** @type {number | undefined} */
    this.revision = undefined; // of the line that is shown
    this.steering = false; // another line is being asked for
    /** @type {string | undefined} */
    this.again = undefined; // the run that is to bring an answer in the place of another
    this.overtaken = false; // another line came while session.open was under way, whose answer may be from before
    /** @type {string | undefined} */
    this.awaited = undefined; // id of the message that was sent from here, until the end of its turn was said
    this.closed = false;
    this.stopHearing = journal.on("event", (notice) => notice.session_id === id && this.take(notice));
  }

  close() {
    this.closed = true;
    this.trying.over();
    this.tryingOlder.stop();
    this.stopHearing();
    this.socket.call("session.close", { session_id: this.id }).catch(() => {});
  }

  /** Fetches the present state at once, whatever has failed before: the connection is new. */
  reopen() {
    this.trying.over();
    this.refresh();
  }

  /** Fetches the present state, unless that is under way: then its answer will have all that is known by now. */
  async refresh() {
    if (this.trying.pausing || this.opening) return;
    this.opening = true;
    const asked = this.socket.call("session.open", { session_id: this.id, limit: PAGE });
    try {
      const answer = await asked.finally(() => (this.opening = false));
      const { overtaken } = this;
      this.overtaken = false;
      if (this.closed) return;
      if (overtaken) this.refresh();
      else this.adopt(answer);
    } catch (error) {
      if (!this.closed) this.fail(error);
    }
  }

  /** @param {unknown} error */
  fail(error) {
    if (isPassing(error)) this.trying.pause(error).then(() => this.refresh());
    else if (error instanceof Refused && [NOT_FOUND, INVALID].includes(error.code)) this.tell("gone", error);
    else if (!(error instanceof Disconnected)) throw error;
  }

  /**
   * Takes the state over at once; it is shown when its answers are rendered.
   * @param {Api.OpenResult} answer
   */
  async adopt({ session, messages, has_more, run, queued, cursor }) {
    this.trying.over();
    this.cursor = cursor;
    this.revision = session.revision;
    this.queued = queued;
    this.opened = true;
    const running = this.run;
    this.merge(messages, has_more);
    if (!run) this.run = null;
    else if (this.run?.id !== run.run_id || this.run.seq < run.seq) this.run = new Run(run);
    else this.run.forget(messages);
    this.findUnanswered();
    if (!run) this.sayMissed(running);
    this.tell("session", session);
    if (this.rewritten) this.renewOlder(this.hasNewer ? placeOf(this.messages.at(-1)) + 1 : placeOf(messages[0]));
    this.rewritten = false;
    this.left = false;
    await this.prepare(messages);
    this.loaded = true;
    this.changed();
    this.tell("run");
  }

  /** Resolves when it has its messages, ready to be shown. */
  whenLoaded() {
    return this.until(() => this.loaded);
  }

  /**
   * @param {() => boolean} isSo
   * @returns {Promise<void>}
   */
  until(isSo) {
    return new Promise((resolve) => {
      if (isSo()) resolve();
      const stop = this.on("change", () => {
        if (!isSo()) return;
        stop();
        resolve();
      });
    });
  }

  findUnanswered() {
    const last = this.hasNewer ? undefined : this.messages.at(-1);
    this.unanswered = last?.role === "user" && !this.run && !this.queued.length ? last.id : null;
  }

  /**
   * The last page replaces what it covers; older pages stay where both meet, else they are loaded again on scroll. A
   * place further up stays, too, until somebody goes back to the end.
   * @param {Page.Message[]} latest
   * @param {boolean} hasMore
   */
  merge(latest, hasMore) {
    if (this.hasNewer && !this.returning && !meets(this.messages, latest)) return;
    const last = placeOf(latest.at(-1));
    const part = { ...this.part, messages: this.messages.filter((message) => placeOf(message) <= last) };
    this.show(joined(part, { messages: latest, hasMore, hasNewer: false }));
    this.returning = false;
  }

  get part() {
    const { messages, hasMore, hasNewer } = this;
    return { messages, hasMore, hasNewer };
  }

  /** @param {import("./pages.js").Part} part */
  show(part) {
    Object.assign(this, part);
  }

  /**
   * Loads the place of a message, without what is between; where another line has it, that one becomes the one shown.
   * Resolves with whether it is there; rejects as the request does.
   * @param {string} messageId
   */
  async visit(messageId) {
    if (this.messages.some((message) => message.id === messageId)) return;
    const page = await this.around(messageId).catch(async (error) => {
      if (!(error instanceof Refused && error.code === CONFLICT)) throw error;
      await this.select(messageId);
      this.say("Another version of this chat is shown.");
      return this.around(messageId);
    });
    await this.prepare(page.messages);
    this.show(joined(this.part, { messages: page.messages, hasMore: page.has_more, hasNewer: page.has_newer }));
    this.findUnanswered();
    this.changed();
  }

  /** @param {string} messageId */
  async around(messageId) {
    const ask = () => this.socket.call("session.messages", { session_id: this.id, around: messageId, limit: PAGE });
    const page = await this.tryingOlder.until(() => ask().catch(passingOnly));
    if (page instanceof Refused) throw page;
    return page;
  }

  /** Loads the page after what is here, until the end is here. */
  newer() {
    if (!this.hasNewer || this.returning) return Promise.resolve();
    this.fetchingNewer ??= this.fetchNewer().finally(() => (this.fetchingNewer = null));
    return this.fetchingNewer;
  }

  async fetchNewer() {
    const after = placeOf(this.messages.at(-1));
    const params = { session_id: this.id, after, limit: PAGE };
    const page = await this.tryingOlder.until(() => this.socket.call("session.messages", params)).catch(() => null);
    if (!page || after !== placeOf(this.messages.at(-1))) return;
    await this.prepare(page.messages);
    this.messages = [...this.messages, ...page.messages];
    // What has happened at the end meanwhile was not taken: the present state has it.
    if (!page.has_newer) this.refresh();
    this.changed();
  }

  /** Goes back to the end of the chat; resolves when it is shown. */
  async toLatest() {
    if (!this.hasNewer) return;
    this.returning = true;
    this.refresh();
    await this.until(() => !this.hasNewer);
  }

  /**
   * Lets the server render the answers first, so that they do not change shape on the screen.
   * @param {Page.Message[]} messages
   */
  prepare(messages) {
    return this.markdown.prepare(
      messages.filter((message) => message.role === "assistant").map((message) => message.text),
    );
  }

  /**
   * Loads a page of older messages; resolves with whether there are more than before.
   * @param {{ all?: boolean }} [options] `all`: for a place far up, so in large pages and without rendering
   * @returns {Promise<boolean>}
   */
  older({ all = false } = {}) {
    if (!this.hasMore) return Promise.resolve(false);
    this.fetching ??= this.fetchOlder(all).finally(() => (this.fetching = null));
    return this.fetching;
  }

  /**
   * Resolves with the message at a position, or the next one, loading what is before it where needed.
   * @param {number} position
   */
  async messageAt(position) {
    while (placeOf(this.messages[0]) > position && (await this.older({ all: true })));
    return this.messages.find((message) => placeOf(message) >= position);
  }

  /** @param {boolean} all */
  async fetchOlder(all) {
    const before = placeOf(this.messages[0]);
    const page = await this.pageBefore(before, all ? LONG_PAGE : PAGE);
    if (page && !all) await this.prepare(page.messages);
    if (!page || before !== placeOf(this.messages[0])) return false;
    this.messages = [...page.messages, ...this.messages];
    this.hasMore = page.has_more;
    this.changed();
    return true;
  }

  /**
   * Resolves with a page of the messages before a position, or null where it can not be had any more.
   * @param {number} before
   * @param {number} limit
   */
  async pageBefore(before, limit) {
    const params = { session_id: this.id, before, limit };
    try {
      return await this.tryingOlder.until(() => this.socket.call("session.messages", params));
    } catch (error) {
      if (error instanceof Refused || error instanceof Disconnected) return null;
      throw error;
    }
  }

  /**
   * Fetches again what is shown of the messages before a position: a program has changed the chat.
   * @param {number} position
   */
  async renewOlder(position) {
    let before = position;
    while (this.messages.length && placeOf(this.messages[0]) < before) {
      const page = await this.pageBefore(before, LONG_PAGE);
      if (!page) return;
      const first = page.has_more ? placeOf(page.messages[0]) : -Infinity;
      const older = this.messages.filter((message) => placeOf(message) < first);
      const newer = this.messages.filter((message) => placeOf(message) >= before);
      this.messages = [...older, ...page.messages, ...newer];
      if (!older.length) this.hasMore = page.has_more;
      before = first;
      this.changed();
    }
  }

  /** @param {Page.Notice} notice */
  take(notice) {
    if (notice.run_id === null) {
      if (notice.cursor > this.cursor) this.takeFact(notice.event);
    } else if (this.run?.id === notice.run_id) {
      if (!this.run.take(notice.seq, notice.event)) this.refresh();
      else if (notice.event.type === "RUN_STARTED") this.say("Answer started.");
      this.tell("run");
    }
  }

  /** @param {Page.Fact} fact */
  takeFact(fact) {
    if (fact.name === "session.deleted") this.tell("gone", null);
    else if (this.opened && !this.left) this.change(fact); // else the answer to session.open will have it
  }

  /** @param {Page.Fact} fact */
  change(fact) {
    switch (fact.name) {
      case "message.created":
        this.add(fact.value);
        break;
      case "turn.queued":
        this.queue(fact.value);
        break;
      case "turn.withdrawn":
        this.unqueue(fact.value.run_id);
        break;
      case "turn.began":
        this.start(fact.value);
        break;
      case "turn.ended":
        this.end(fact.value);
        break;
      case "message.updated":
        this.update(fact.value);
        break;
      case "branch.selected":
        if (fact.value.revision > (this.revision ?? 0)) this.follow();
        break;
      case "transcript.changed":
        this.renew();
    }
  }

  /**
   * A turn has begun, just after its message was added; one that has ended by now is told so at once. What was wrong
   * with an earlier answer to that message is no longer so.
   * @param {Pick<Api.TurnShape, "run_id" | "status">} turn
   */
  start({ run_id: runId, status }) {
    this.queued = this.queued.filter((entry) => entry.run_id !== runId);
    if (status === "running" && this.run?.id !== runId) {
      this.run = new Run({ run_id: runId });
      this.unanswered = null;
      const asked = this.asked();
      if (asked) asked.error = null;
    }
    this.changed();
    this.tell("run");
  }

  /**
   * A turn has ended; its answer was added before, where it has one. Else the user's message says why.
   * @param {Api.TurnShape} turn
   */
  end({ run_id: runId, status, message_id: answerId, error }) {
    if (this.run?.id === runId) {
      this.insert(...this.run.store());
      this.run = null;
    }
    const answer = this.messages.find((message) => message.id === answerId);
    const asked = this.asked();
    if (!answer && asked) asked.error = error;
    if (!answer && error && runId === this.again) this.tell("failed", error);
    this.findUnanswered();
    this.sayEnd(answer, error, status === "stopped");
    this.changed();
    this.tell("run");
  }

  /**
   * A turn ended before this chat was fetched: the fact is not told once more, and whoever waits for it is told here.
   * @param {Run | null} running what was running when the chat was fetched before
   */
  sayMissed(running) {
    const asked = this.asked();
    if (!asked || this.queued.length || (!running && asked.id !== this.awaited)) return;
    const last = this.messages.at(-1);
    const answer = last === asked ? undefined : last;
    this.sayEnd(answer, (answer ?? asked).error, answer?.status === "stopped");
  }

  /**
   * @param {Page.Message | undefined} answer
   * @param {Api.ErrorShape | null | undefined} error
   * @param {boolean} stopped
   */
  sayEnd(answer, error, stopped) {
    this.awaited = undefined;
    if (stopped) this.say("Answer stopped.");
    else this.say(error ? "Answer failed." : explainFinish(answer?.finish) || "Answer finished.");
  }

  /**
   * The user's message that the answer at an id is to, or without it the last one, if the end is here.
   * @param {string} [answerId]
   */
  asked(answerId) {
    if (!answerId && this.hasNewer) return undefined;
    const end = answerId ? this.messages.findIndex((message) => message.id === answerId) : this.messages.length;
    return this.messages.slice(0, Math.max(end, 0)).findLast((message) => message.role === "user");
  }

  /** Another line was chosen elsewhere: nothing is added to this one, and that one is fetched. */
  follow() {
    this.left = true;
    this.say("Another version of this chat is shown.");
    this.renew();
  }

  /** What is shown may no longer be so: older pages are fetched again too. */
  renew() {
    this.rewritten = true;
    this.refresh();
  }

  /**
   * Asks for another answer in the place of one, or without its id to the last message.
   * @param {string} [answerId]
   * @param {number} [profile] whose model is to answer this once
   */
  async regenerate(answerId, profile) {
    const params = { session_id: this.id, ...(answerId && { message_id: answerId }), ...(profile && { profile }) };
    const result = await this.steer(() => this.socket.call("turn.regenerate", params));
    const asked = this.asked(answerId);
    this.again = asked && asked !== this.messages.at(-1) ? result.run_id : undefined;
    if (asked) this.goOn(result, placeOf(asked) + 1);
    else this.renew();
  }

  /**
   * An edited message was taken by the server, as the beginning of another line.
   * @param {Api.EditResult} result
   */
  edited(result) {
    const { message } = result;
    if (this.messages.some((other) => other.id === message.id)) return;
    if (message.position === null) this.renew();
    else this.goOn(result, message.position, message);
  }

  /**
   * Shows the line that a message is part of, as it went on; all that comes before it too, if it was shown.
   * @param {string} messageId
   * @param {string} [inPlaceOf] the message in whose place it stands
   */
  async select(messageId, inPlaceOf) {
    const position = placeOf(this.messages.find((message) => message.id === inPlaceOf));
    const ask = () => this.socket.call("branch.select", { message_id: messageId });
    const { session, messages, has_more } = await this.steer(ask);
    this.overtake(session);
    this.returning = true;
    this.merge(messages, has_more);
    this.findUnanswered();
    await this.messageAt(position);
    await this.prepare(messages);
    this.changed();
  }

  /**
   * Makes one request for another line at a time; rejects as it does.
   * @template Result
   * @param {() => Promise<Result>} call
   */
  async steer(call) {
    this.steering = true;
    this.changed();
    try {
      return await call();
    } finally {
      this.steering = false;
      this.changed();
    }
  }

  /**
   * From a position on the line is another one: with these messages, and the turn that answers.
   * @param {{ run_id: string, session: Api.SessionShape }} result
   * @param {number} position
   * @param {Page.Message[]} messages
   */
  goOn({ run_id, session }, position, ...messages) {
    this.overtake(session);
    this.messages = [...this.messages.filter((message) => placeOf(message) < position), ...messages];
    this.hasNewer = false;
    this.start({ run_id, status: "running" });
  }

  /**
   * What is shown from here on is the line of this answer: its fact is no news, and what was asked for before is old.
   * @param {Api.SessionShape} session
   */
  overtake(session) {
    this.revision = session.revision;
    this.overtaken = this.opening;
    this.tell("session", session);
  }

  /**
   * @param {Page.Message} message
   * @param {1 | -1 | null} rating null takes it back
   */
  async rate({ id }, rating) {
    const { message } = await this.socket.call("message.rate", { message_id: id, rating });
    this.update(message);
  }

  /**
   * Something else than a message's text is another now.
   * @param {Page.Message} message
   */
  update(message) {
    this.messages = this.messages.map((other) => (other.id === message.id ? message : other));
    this.changed();
  }

  /**
   * A message that is now part of the transcript. Steps of the running answer are shown by it until it is stored.
   * @param {Page.Message} message
   */
  add(message) {
    this.queued = this.queued.filter((entry) => entry.message_id !== message.id);
    if (!this.opened || this.messages.some((other) => other.id === message.id)) return;
    if (this.run && (message.role === "tool" || message.tool_calls)) {
      this.run.stored.push(message);
      return;
    }
    this.insert(...(this.run && message.role === "assistant" ? this.run.store() : []), message);
    this.changed();
  }

  /**
   * By position: what was missed may come when this page has said something already.
   * @param {Page.Message[]} messages
   */
  insert(...messages) {
    if (this.hasNewer) return; // there is a gap before them
    this.messages = [...this.messages, ...messages].sort((a, b) => placeOf(a) - placeOf(b));
  }

  /** @param {Api.QueuedShape} entry */
  queue(entry) {
    const known = this.queued.some((other) => other.run_id === entry.run_id);
    const begun = this.run?.id === entry.run_id || this.messages.some((message) => message.id === entry.message_id);
    if (!known && !begun) this.queued.push(entry);
    this.changed();
  }

  /** @param {string} runId */
  unqueue(runId) {
    this.queued = this.queued.filter((entry) => entry.run_id !== runId);
    this.changed();
  }

  /**
   * Stops the running answer, or withdraws the queued one named.
   * @param {string | undefined} runId
   */
  stop(runId = this.run?.id) {
    return this.socket.call("turn.stop", { session_id: this.id, run_id: runId });
  }

  /** @param {string} text */
  say(text) {
    this.tell("said", text);
  }

  changed() {
    this.tell("change");
  }
}

/**
 * Rejects where trying again may help; resolves with what was refused for good.
 * @param {unknown} error
 */
const passingOnly = (error) => (isPassing(error) || !(error instanceof Refused) ? Promise.reject(error) : error);
