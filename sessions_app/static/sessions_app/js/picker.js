// The button in the composer that says which profile answers, and the line where a chat's profile is gone.

import { toast } from "./announce.js";
import { $, h, icon } from "./dom.js";
import { using } from "./later.js";
import { Profiles } from "./profiles.js";
import { Sessions } from "./sessions.js";

export class Picker {
  /** @param {{ profiles: Profiles, sessions: Sessions }} parts */
  constructor({ profiles, sessions }) {
    this.profiles = profiles;
    this.sessions = sessions;
    /** @type {string | null} */
    this.current = null; // the open chat
    this.name = h("span", { class: "picker-name" });
    this.button = h(
      "button",
      { class: "picker-button", type: "button", "aria-haspopup": "menu", "aria-expanded": "false" },
      this.name,
      icon("open"),
    );
    this.button.addEventListener("click", () => this.open());
    this.box = $("picker");
    this.box.append(this.button);
    this.gone = $("profile-gone");
    this.choose = $("profile-choose");
    this.why = $("profile-gone-text");
    this.choose.addEventListener("click", () => this.open());
    profiles.on("change", () => this.draw());
    profiles.on("lost", () => toast("The model that you had chosen is no longer offered."));
    sessions.on("change", () => this.draw());
    this.draw();
  }

  /**
   * Goes over to a chat, or with null to a new one.
   * @param {string | null} id
   */
  show(id) {
    this.current = id;
    this.draw();
  }

  get session() {
    return this.sessions.get(this.current);
  }

  draw() {
    const { session } = this;
    this.profiles.meet(session);
    const why = this.profiles.whyGone(session);
    const name = why ? "Choose a model" : (this.profiles.of(session)?.name ?? "");
    this.box.hidden = !this.profiles.isChoice(session) || (this.current !== null && !session);
    this.name.textContent = name;
    this.button.setAttribute("aria-label", why ? name : `Model: ${name}`);
    if (this.why.textContent === why) return;
    this.gone.hidden = !why;
    this.choose.hidden = !this.profiles.list.length;
    this.why.textContent = why;
  }

  /** Whether there is anything to choose. */
  get isChoice() {
    return !this.box.hidden;
  }

  open() {
    if (!this.box.hidden) void using("pickerMenu", ({ openPicker }) => openPicker(this));
  }
}
