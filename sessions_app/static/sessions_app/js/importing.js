// What this site, ChatGPT or Open WebUI has exported, chosen from the disk: sent, taken in at the server, and what came
// of it. What could not be taken is listed with the reason.

import { h } from "./dom.js";
import { JobForm, token } from "./job_form.js";
import { Upload } from "./upload.js";
import { counted, number } from "./words.js";

/**
 * @typedef {import("./job_form.js").Job} Job
 * @typedef {import("./job_form.js").Report} Report
 */

const BEGIN = "api/account/import";
const ABOUT =
  "Brings chats in: an export of Hermes Site, the ZIP or conversations.json of ChatGPT, or the chats of Open WebUI. Chats that are here already are not made again.";
/** Lines of a report that are shown. */
const SHOWN = 100;

export class ImportForm extends JobForm {
  constructor() {
    const button = h("button", {
      class: "button",
      type: "button",
      text: "Import chats …",
      on: { click: () => this.input.click() },
    });
    const running = "The chats are being taken in. You can close this page meanwhile.";
    super({ name: "import", title: "Import", about: ABOUT, button, running });
    this.input = h("input", {
      type: "file",
      accept: ".zip,.json,application/zip,application/json",
      "aria-label": "Export to import",
      hidden: true,
      on: { change: () => void this.begin() },
    });
    this.missing = h("details", { class: "import-missing", hidden: true });
    this.element.append(this.input, this.missing);
  }

  async begin() {
    const file = this.input.files?.[0];
    this.input.value = ""; // so that the same one can be chosen again
    if (!file) return;
    this.clear();
    this.button.disabled = true;
    this.bar.hidden = false;
    this.say(`“${file.name}” is being sent. Keep this page open until then.`);
    this.upload = new Upload(BEGIN, token(), file, (part) => {
      this.bar.value = part;
    });
    const { told, problem } = await this.upload.done;
    if (told) this.began(told.job);
    else this.refused(problem ?? "");
  }

  /** @override */
  stop() {
    super.stop();
    this.upload?.cancel();
  }

  /** @override */
  clear() {
    this.missing.hidden = true;
  }

  /**
   * @override
   * @param {Job} job
   */
  ended({ report }) {
    this.say(summary(report ?? {}));
    const lines = report?.left_out ?? [];
    const count = report?.left_out_count ?? 0;
    this.missing.hidden = !lines.length;
    const items = lines.slice(0, SHOWN).map(({ kind, id, why }) => h("li", { text: `${kind} ${id}: ${why}` }));
    const more = count > SHOWN ? [h("li", { text: `… and ${number(count - SHOWN)} more` })] : [];
    this.missing.replaceChildren(
      h("summary", { text: `${number(count)} not taken, or not whole` }),
      h("ul", {}, ...items, ...more),
    );
  }
}

/** @param {Report} report */
function summary({ sessions = 0, messages = 0, files = 0, there = 0 }) {
  const taken = [
    counted(sessions, "chat", "chats"),
    counted(messages, "message", "messages"),
    counted(files, "file", "files"),
  ];
  const known = there ? ` ${counted(there, "chat was", "chats were")} here already.` : "";
  return `Taken in: ${taken.join(", ")}.${known}`;
}
