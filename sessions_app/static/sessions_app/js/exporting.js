// Everything in a ZIP, to be taken along: begun at the server, watched until it is there, and downloaded.

import { h } from "./dom.js";
import { FAILED, JobForm, token } from "./job_form.js";
import { counted, number, sizeOf } from "./words.js";

/**
 * @typedef {import("./job_form.js").Job} Job
 * @typedef {import("./job_form.js").Report} Report
 */

const BEGIN = "api/account/export";
const ABOUT =
  "All your chats (as JSON and as Markdown), files, memories, instructions, and what it has cost, in a ZIP. It is kept for a day.";

export class ExportForm extends JobForm {
  constructor() {
    const button = h("button", {
      class: "button",
      type: "button",
      text: "Export everything",
      on: { click: () => void this.begin() },
    });
    const running = "It is being made. You can close this page meanwhile.";
    super({ name: "export", title: "Export", about: ABOUT, button, running });
    this.link = h("a", { class: "export-link", text: "Download", download: true, hidden: true });
    this.element.append(this.link);
  }

  async begin() {
    this.button.disabled = true;
    this.say("");
    try {
      const answer = await fetch(BEGIN, { method: "POST", headers: { "X-CSRFToken": token() } });
      const told = await answer.json();
      if (!answer.ok) throw new TypeError(told.error.message);
      this.began(told.job);
    } catch {
      this.refused(FAILED);
    }
  }

  /** @override */
  clear() {
    this.link.hidden = true;
  }

  /**
   * @override
   * @param {Job} job
   */
  ended({ id, size, report }) {
    this.link.href = `api/jobs/${id}/result`;
    this.link.hidden = false;
    this.say(summary(report ?? {}, size ?? 0));
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
