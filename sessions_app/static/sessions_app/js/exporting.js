// Everything in a ZIP, to be taken along: begun at the server, watched until it is there, and downloaded. The server works
// on it also while nobody watches; this tab remembers which one it has begun.

import { h } from "./dom.js";
import { counted, number, sizeOf } from "./words.js";

/**
 * @typedef {{ error?: string, sessions?: number, files?: number, left_out_count?: number }} Report
 * @typedef {{ id: string, state: "waiting" | "running" | "done" | "failed", progress: number, size: number | null, report: Report | null }} Job
 */

const BEGIN = "api/account/export";
const NAME = "hermes:export";
/** Milliseconds between two questions how far it is. */
const PAUSE = 1_000;
const FAILED = "The server could not do this just now. Try again in a moment.";
const ABOUT =
  "All your chats (as JSON and as Markdown), files, memories, instructions, and what it has cost, in a ZIP. It is kept for a day.";

export class ExportForm {
  constructor() {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.stopped = false;
    this.button = h("button", {
      class: "button",
      type: "button",
      text: "Export everything",
      on: { click: () => void this.begin() },
    });
    this.bar = h("progress", { max: "1", value: "0", "aria-label": "Export", hidden: true });
    this.status = h("p", { class: "settings-status", role: "status" });
    this.link = h("a", { class: "export-link", text: "Download", download: true, hidden: true });
    this.element = h(
      "div",
      { class: "export" },
      h("p", { class: "memory-about", text: ABOUT }),
      this.button,
      this.bar,
      this.status,
      this.link,
    );
  }

  /** Shows the one that this tab has begun, where there is one. */
  load() {
    const id = remembered();
    if (id) void this.watch(id);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  async begin() {
    this.button.disabled = true;
    this.say("");
    try {
      const answer = await fetch(BEGIN, { method: "POST", headers: { "X-CSRFToken": token() } });
      const told = await answer.json();
      if (!answer.ok) throw new TypeError(told.error.message);
      remember(told.job.id);
      this.show(told.job);
    } catch {
      this.button.disabled = false;
      this.say(FAILED);
    }
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
  show({ id, state, progress, size, report }) {
    const runs = state === "waiting" || state === "running";
    this.button.disabled = runs;
    this.bar.hidden = !runs;
    this.bar.value = progress;
    this.link.hidden = state !== "done";
    this.link.href = `api/jobs/${id}/result`;
    if (runs) {
      this.say(state === "waiting" ? "It begins in a moment." : "It is being made. You can close this page meanwhile.");
      this.later(id);
    } else if (state === "failed") this.say(report?.error ?? FAILED);
    else this.say(summary(report ?? {}, size ?? 0));
  }

  forget() {
    remember(null);
    this.button.disabled = false;
    for (const part of [this.bar, this.link]) part.hidden = true;
    this.say("");
  }

  /** @param {string} text */
  say(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }
}

/**
 * @param {Report} report
 * @param {number} size
 */
function summary({ sessions = 0, files = 0, left_out_count: missing = 0 }, size) {
  const has = `${counted(sessions, "chat", "chats")} and ${counted(files, "file", "files")}, ${sizeOf(size)}.`;
  return missing ? `${has} ${number(missing)} could not be taken: the report in the API says which.` : has;
}

function token() {
  const field = document.querySelector('[name="csrfmiddlewaretoken"]');
  return field instanceof HTMLInputElement ? field.value : "";
}

function remembered() {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    return null; // the browser refuses storage
  }
}

/** @param {string | null} id */
function remember(id) {
  try {
    if (id) sessionStorage.setItem(NAME, id);
    else sessionStorage.removeItem(NAME);
  } catch {
    // Without storage it is watched until the settings are closed.
  }
}
