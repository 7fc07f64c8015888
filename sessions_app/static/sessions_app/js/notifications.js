// Says that a long answer is done, or that one asks for a decision, to who has another tab or window before them: once, however many tabs there are.

import { Journal } from "./journal.js";
import { Preferences } from "./preferences.js";
import { explainWaiting } from "./words.js";

/** Milliseconds from which an answer is worth it: nobody goes away for less. */
const LONG = 10_000;
/** For how long the tab that notifies keeps others from it. */
const HOLD = 10_000;

export class Notifications {
  /**
   * `title` names a chat, `go` shows it.
   * @param {{
   *   journal: Journal, preferences: Preferences, title(session: string): string, go(session: string): void,
   *   browser?: Window & typeof globalThis,
   * }} parts
   */
  constructor({ journal, preferences, title, go, browser = window }) {
    this.preferences = preferences;
    this.title = title;
    this.go = go;
    this.browser = browser;
    /** @type {Map<string, number>} */
    this.begun = new Map(); // when each running turn began, as far as this page has seen it
    journal.on("event", ({ event }) => event.type === "CUSTOM" && event.name !== "tool.progress" && this.hear(event));
  }

  /** @param {Page.Fact} fact */
  hear(fact) {
    if (fact.name === "turn.began") this.begun.set(fact.value.run_id, Date.now());
    else if (fact.name === "approval.waiting") this.ask(fact.value);
    else if (fact.name === "turn.ended") this.end(fact.value);
  }

  /** @param {Api.ApprovalShape} approval nothing goes on without a decision, however soon it is asked for */
  ask(approval) {
    const { run_id: run, session_id: session } = approval;
    this.begun.delete(run); // its end is no other news
    if (this.isWanted()) this.once(run, () => this.show(run, session, explainWaiting([approval])));
  }

  /** @param {Api.TurnShape} turn */
  end({ run_id: run, session_id: session, status, kind }) {
    const begun = this.begun.get(run);
    this.begun.delete(run);
    const isLong = begun !== undefined && Date.now() - begun >= LONG;
    if (isLong && kind !== "compaction" && status !== "stopped" && this.isWanted())
      this.once(run, () => this.show(run, session, endWords(status)));
  }

  isWanted() {
    return (
      this.preferences.get("notifications") === "on" &&
      this.browser.document.visibilityState === "hidden" &&
      this.browser.Notification?.permission === "granted"
    );
  }

  /**
   * Calls it in one of the tabs. (Without locks in each of them; their notifications replace one another by their tag.)
   * @param {string} run
   * @param {() => void} call
   */
  once(run, call) {
    const { locks } = this.browser.navigator;
    if (!locks) call();
    else
      locks.request(`hermes:notified:${run}`, { ifAvailable: true }, (lock) => {
        if (!lock) return undefined;
        call();
        return new Promise((resolve) => setTimeout(resolve, HOLD));
      });
  }

  /**
   * @param {string} run
   * @param {string} session
   * @param {string} body
   */
  show(run, session, body) {
    const shown = new this.browser.Notification(this.title(session), { body, tag: run });
    shown.onclick = () => {
      this.browser.focus();
      this.go(session);
      shown.close();
    };
  }
}

/** @param {string} status */
const endWords = (status) => (status === "complete" ? "The answer is here." : "The answer broke off.");
