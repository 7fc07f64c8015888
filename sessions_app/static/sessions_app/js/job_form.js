// A job of the server, begun by a button and watched until it has ended. The server works on it also while nobody
// watches; this tab remembers which one it has begun.

import { h } from "./dom.js";

/**
 * @typedef {{ error?: string, sessions?: number, messages?: number, files?: number, there?: number, left_out?: { kind: string, id: string, why: string }[], left_out_count?: number }} Report
 * @typedef {{ id: string, state: "waiting" | "running" | "done" | "failed", progress: number, size: number | null, report: Report | null }} Job
 */

/** Milliseconds between two questions how far it is. */
const PAUSE = 1_000;
export const FAILED = "The server could not do this just now. Try again in a moment.";

/** Begun by `begin`; whoever extends it shows what came of it (`ended`), and takes that away again (`clear`). */
export class JobForm {
  /** @param {{ name: string, title: string, about: string, button: HTMLElement & { disabled: boolean }, running: string }} parts `name` is that under which the tab remembers it */
  constructor({ name, title, about, button, running }) {
    this.name = `hermes:${name}`;
    this.running = running;
    this.button = button;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.stopped = false;
    this.bar = h("progress", { max: "1", value: "0", "aria-label": title, hidden: true });
    this.status = h("p", { class: "settings-status", role: "status" });
    this.element = h(
      "div",
      { class: "job" },
      h("p", { class: "memory-about", text: about }),
      button,
      this.bar,
      this.status,
    );
  }

  /** Shows the one that this tab has begun, where there is one. */
  load() {
    const id = this.remembered();
    if (id) void this.watch(id);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** @param {Job} job */
  began(job) {
    this.remember(job.id);
    this.show(job);
  }

  /** @param {string} problem */
  refused(problem) {
    this.button.disabled = false;
    this.bar.hidden = true;
    this.say(problem);
  }

  /** @param {string} id */
  async watch(id) {
    try {
      const answer = await fetch(`api/jobs/${id}`);
      if (answer.status === 404) return this.forget();
      if (answer.ok) return this.show(await answer.json());
    } catch {
      // Asked again below.
    }
    this.later(id);
  }

  /** @param {string} id */
  later(id) {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => void this.watch(id), PAUSE);
  }

  /** @param {Job} job */
  show(job) {
    const { id, state, progress, report } = job;
    const runs = state === "waiting" || state === "running";
    this.button.disabled = runs;
    this.bar.hidden = !runs;
    this.bar.value = progress;
    this.clear();
    if (runs) {
      this.say(state === "waiting" ? "It begins in a moment." : this.running);
      this.later(id);
    } else if (state === "failed") this.say(report?.error ?? FAILED);
    else this.ended(job);
  }

  /**
   * Shows what came of it.
   * @abstract
   * @param {Job} _job
   */
  ended(_job) {}

  /**
   * Takes away what an earlier one has left.
   * @abstract
   */
  clear() {}

  forget() {
    this.remember(null);
    this.clear();
    this.refused("");
  }

  /** @param {string} text */
  say(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  remembered() {
    try {
      return sessionStorage.getItem(this.name);
    } catch {
      return null; // the browser refuses storage
    }
  }

  /** @param {string | null} id */
  remember(id) {
    try {
      if (id) sessionStorage.setItem(this.name, id);
      else sessionStorage.removeItem(this.name);
    } catch {
      // Without storage it is watched until the settings are closed.
    }
  }
}

/** Django's token, against pages of other sites. */
export function token() {
  const field = document.querySelector('[name="csrfmiddlewaretoken"]');
  return field instanceof HTMLInputElement ? field.value : "";
}
