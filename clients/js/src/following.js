// The runs of an open session, put together from what arrives: facts, run events, and answers to session.open.
//
// Facts say which run is on, which messages it stores and how it ends; none of them is missing (journal.js). The answer
// to session.open reflects them up to a cursor. It is applied once all of these have been told, and run events that come
// after it are held until then: so everything is told in its order.

import { Feed } from "./run.js";
import { Telling } from "./telling.js";

/** @import { Api } from "../api.d.ts" */

/** A run, as far as it was told. */
class Followed {
  /**
   * @param {string} sessionId
   * @param {string} runId
   */
  constructor(sessionId, runId) {
    this.telling = new Telling(sessionId, runId);
    this.feed = new Feed();
    this.began = false; // the fact that its turn began was told, so all of its messages will be
    this.since = 0; // else its own are those that were stored after the fact of this cursor
    this.asked = ""; // the message that it answers, where that is known
    /** @type {{ cursor: number, turn: Api.TurnShape } | null} by this fact, and no event has said so yet */
    this.ended = null;
  }
}

/** The runs of one session. `reopen` is called where something is missing: then open the session again. */
export class Following {
  /**
   * @param {string} sessionId
   * @param {() => void} reopen
   */
  constructor(sessionId, reopen) {
    this.running = ""; // the id of the run that is on
    this.sessionId = sessionId;
    this.reopen = reopen;
    /** @type {Map<string, Followed>} */
    this.runs = new Map();
    this.cursor = 0;
    /** @type {Api.RunNotification[] | null} */
    this.held = null;
    /** @type {Set<string>} */
    this.doubted = new Set();
    this.asking = 0;
  }

  /**
   * A run, from its beginning where it has not begun.
   * @param {string} runId
   */
  run(runId) {
    const run = this.runs.get(runId) ?? new Followed(this.sessionId, runId);
    this.runs.set(runId, run);
    return run;
  }

  /** Notes that a request is under way whose answer may name a run that has ended by then. */
  ask() {
    this.asking += 1;
  }

  /** Notes that it was answered. */
  answered() {
    this.asking -= 1;
    this.letGo();
  }

  /**
   * Notes that facts of these runs may be missing: what is stored says how they stand.
   * @param {Iterable<string>} runIds
   */
  doubt(runIds = this.runs.keys()) {
    for (const runId of runIds) this.doubted.add(runId);
  }

  /**
   * Takes the answer to session.open as it comes; `opened` follows when its facts have been told.
   * @param {Api.OpenResult} result
   */
  hold({ run, cursor }) {
    this.held ??= [];
    if (!run || this.running) return;
    this.running = run.run_id;
    this.run(run.run_id).since = cursor;
  }

  /**
   * Applies the answer to session.open, and what was held.
   * @param {Api.OpenResult} result
   */
  opened(result) {
    this.cursor = result.cursor;
    for (const { ended, feed, telling } of this.runs.values()) {
      if (ended && ended.cursor <= this.cursor) feed.add(telling.ended(ended.turn));
    }
    if (result.run) {
      const { feed, telling } = this.run(result.run.run_id);
      feed.add(telling.resume(result.run));
    }
    this.settle(result);
    const held = this.held ?? [];
    this.held = null;
    for (const notice of held) this.hearEvent(notice);
    this.letGo();
  }

  /**
   * Takes an event of a run.
   * @param {Api.RunNotification} notice
   */
  hearEvent(notice) {
    if (this.held) {
      this.held.push(notice);
      return;
    }
    const { feed, telling } = this.run(notice.run_id);
    if (telling.lacks(notice.seq, notice.event)) {
      this.held = [notice];
      this.reopen();
      return;
    }
    feed.add(telling.take(notice.seq, notice.event));
    this.letGo();
  }

  /**
   * Takes a fact of the session.
   * @param {Api.FactNotification} fact
   */
  hearFact({ cursor, event }) {
    if (event.name === "session.deleted") this.end("deleted", "The chat was deleted.");
    else if (event.value === null)
      return; // of what is deleted by now
    else if (event.name === "turn.began") {
      this.running = event.value.run_id;
      this.run(this.running).began = true;
    } else if (event.name === "turn.ended") this.endTurn(cursor, event.value);
    else if (event.name === "turn.withdrawn") {
      const { feed, telling } = this.run(event.value.run_id);
      feed.add(telling.ended({ status: "stopped", error: event.value.error ?? null }));
    } else if (event.name === "message.created" && event.value.role !== "user" && this.running) {
      this.store(this.run(this.running), cursor, event.value);
    }
    this.letGo();
  }

  /**
   * Ends all runs: the session is gone.
   * @param {string} code
   * @param {string} text
   */
  end(code, text) {
    for (const { feed, telling } of this.runs.values()) feed.add(telling.fail(code, text));
    this.letGo();
  }

  /**
   * Tells all readers that nothing more comes.
   * @param {import("./errors.js").HermesError} error
   */
  lose(error) {
    for (const { feed } of this.runs.values()) feed.lose(error);
  }

  /**
   * @param {Followed} run
   * @param {number} cursor
   * @param {Api.MessageShape} message
   */
  store(run, cursor, message) {
    if (!run.began && cursor <= run.since) return;
    if (message.role === "assistant") run.feed.message = message;
    run.feed.add(run.telling.store(message));
  }

  /**
   * Notes how a turn has ended. An event says so next, unless it had ended when the session was opened.
   * @param {number} cursor
   * @param {Api.TurnShape} turn
   */
  endTurn(cursor, turn) {
    const run = this.runs.get(turn.run_id);
    if (!run) return;
    run.ended = { cursor, turn };
    if (this.running === turn.run_id) this.running = "";
    if (!this.held && cursor <= this.cursor) run.feed.add(run.telling.ended(turn));
  }

  /**
   * Ends the doubted runs that are neither on nor queued, by what is stored of them.
   * @param {Api.OpenResult} result
   */
  settle({ queued, run: running, messages }) {
    const alive = new Set([running?.run_id, ...queued.map((entry) => entry.run_id)]);
    for (const runId of this.doubted) {
      const run = this.runs.get(runId);
      if (!run || alive.has(runId) || run.feed.over || run.ended) continue;
      this.endByMessages(run, messages);
      if (this.running === runId) this.running = "";
    }
    this.doubted.clear();
  }

  /**
   * @param {Followed} run
   * @param {Api.MessageShape[]} messages
   */
  endByMessages(run, messages) {
    const at = messages.findIndex((message) => message.id === run.asked);
    const asked = messages[at];
    if (!asked) {
      run.feed.add(run.telling.fail("lost", "The answer is older than what can be told of it."));
      return;
    }
    let last = asked;
    for (const message of messages.slice(at + 1)) {
      if (message.role === "user") break;
      last = message;
      this.store(run, run.since + 1, message);
    }
    const error = last.error ?? (last.role === "assistant" ? null : asked.error) ?? null;
    run.feed.add(run.telling.ended({ status: last.status, error }));
  }

  /** Forgets what has ended, unless somebody is about to ask for it. */
  letGo() {
    if (this.asking) return;
    for (const [runId, { feed }] of this.runs) if (feed.over) this.runs.delete(runId);
  }
}
