// The button in the composer that says which profile answers, its menu, and the line where a chat's profile is gone.

import { toast } from "./announce.js";
import { $, h, icon } from "./dom.js";
import { costOfSwitch, NOT_OFFERED, notTaken, Profiles } from "./profiles.js";
import { Sessions } from "./sessions.js";
import { openChoice } from "./sheet.js";
import { explain } from "./words.js";

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
    this.why = $("profile-gone-text");
    $("profile-choose").addEventListener("click", () => this.open());
    profiles.on("change", () => this.draw());
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
    this.why.textContent = why;
  }

  /** Whether there is anything to choose. */
  get isChoice() {
    return !this.box.hidden;
  }

  /** @returns {import("./commands.js").Command[]} */
  commands() {
    const { session } = this;
    return this.profiles.list.map((profile) => ({
      name: profile.name,
      words: profile.description,
      icon: profile === this.profiles.of(session) ? "check" : "model",
      act: () => void this.choose(profile),
    }));
  }

  open() {
    if (this.box.hidden) return;
    const { session } = this;
    const present = this.profiles.of(session);
    const entries = this.profiles.list.map((profile) => ({
      ...this.entry(profile, costOfSwitch(session, profile)),
      checked: profile === present,
      act: () => void this.choose(profile),
    }));
    openChoice(this.button, entries, "Model");
  }

  /**
   * Opens a menu of who may answer in the place of an answer.
   * @param {HTMLElement} button
   * @param {(profile?: number) => void} regenerate
   */
  openAgain(button, regenerate) {
    const { session } = this;
    const others = this.profiles.list.filter((profile) => profile.id !== session?.profile);
    const again = this.profiles.whyGone(session) ? [] : [{ label: "Try again", act: () => regenerate() }];
    const entries = others.map((profile) => {
      const { label, ...entry } = this.entry(profile, costOfSwitch(session, profile));
      return { ...entry, label: `Try again with ${label}`, act: () => regenerate(profile.id) };
    });
    openChoice(button, [...again, ...entries], "Try again");
  }

  /**
   * @param {Api.ChoiceShape} profile
   * @param {string} cost
   */
  entry(profile, cost) {
    const { name, description, model } = profile;
    return { label: name, lines: [description, called(model), notTaken(profile), cost].filter(Boolean) };
  }

  /** @param {Api.ChoiceShape} profile */
  async choose({ id, name }) {
    const { session } = this;
    if (!session) {
      this.profiles.choose(id);
      return;
    }
    if (session.profile === id) return;
    try {
      await this.sessions.update(session.id, { profile: id });
      toast(`${name} answers from the next message on`);
    } catch (error) {
      toast((await this.profiles.isRefused(error, id)) ? NOT_OFFERED : explain(error));
    }
  }
}

/**
 * What a model is called under the answers it gives: without the way in which it is asked.
 * @param {string} model
 */
const called = (model) => model.slice(model.indexOf(":") + 1);
