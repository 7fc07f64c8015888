// The settings: what is the reader's own choice in this browser, instructions for new chats, memory, a ZIP
// of everything, and ways to the account.

import { $, h, iconButton } from "./dom.js";
import { ExportForm } from "./exporting.js";
import { ImportForm } from "./importing.js";
import { InstructionsForm } from "./instructions.js";
import { Journal } from "./journal.js";
import { keysOf } from "./keys.js";
import { MemorySettings } from "./memory.js";
import { Preferences } from "./preferences.js";
import { Socket } from "./socket.js";

/** @typedef {import("./preferences.js").Preference} Preference */
/** @typedef {{ name: Preference, title: string, about: string, words: [value: string, shown: string][] }} Setting */

/** @param {string} key */
const written = (key) => keysOf(key).join(" ");

/** @type {Setting[]} */
const GENERAL = [
  {
    name: "theme",
    title: "Theme",
    about: "",
    words: [
      ["system", "System"],
      ["light", "Light"],
      ["dark", "Dark"],
    ],
  },
  {
    name: "hours",
    title: "Hours",
    about: "",
    words: [
      ["system", "System"],
      ["12", "12"],
      ["24", "24"],
    ],
  },
  {
    name: "sendKey",
    title: "Send with",
    about: "The other key starts a new line.",
    words: [
      ["Enter", "Enter"],
      ["Mod+Enter", written("Mod+Enter")],
    ],
  },
  {
    name: "notifications",
    title: "Notifications",
    about: "When a long answer is done and you are looking at something else.",
    words: [
      ["off", "Off"],
      ["on", "On"],
    ],
  },
];
const REFUSED = "Your browser does not allow notifications from this site. Allow them in its settings for this site.";

/** @typedef {{ preferences: Preferences, socket: Socket, journal: Journal, sendsMail: boolean }} Parts */

/**
 * Opens the settings; Esc closes them, focus goes back.
 * @param {Parts} parts `sendsMail`: whether the site can send a new password by mail
 */
export function openSettings(parts) {
  new Settings(parts).open();
}

class Settings {
  /** @param {Parts} parts */
  constructor({ preferences, socket, journal, sendsMail }) {
    this.preferences = preferences;
    this.instructions = new InstructionsForm();
    this.memory = new MemorySettings({ socket, journal });
    this.exporting = new ExportForm();
    this.importing = new ImportForm();
    this.status = h("p", { class: "settings-status", role: "status" });
    /** @type {[string, HTMLElement][]} */
    this.sections = [
      ["General", this.section("General", ...GENERAL.map((setting) => this.setting(setting)), this.status)],
      ["Instructions", this.section("Instructions", this.instructions.element)],
      ["Memory", this.section("Memory", this.memory.element)],
      ["Data", this.section("Data", this.exporting.element, this.importing.element)],
      ["Account", this.section("Account", ...account(sendsMail))],
    ];
    this.tabs = this.sections.map(([title]) =>
      h("button", { class: "settings-tab", type: "button", text: title, on: { click: () => this.show(title) } }),
    );
    this.dialog = h(
      "dialog",
      { class: "dialog settings", id: "settings", "aria-labelledby": "settings-title" },
      h("h2", { id: "settings-title", text: "Settings" }),
      h("nav", { "aria-label": "Settings" }, ...this.tabs),
      iconButton("close", "Close", () => this.dialog.close()),
      ...this.sections.map(([, section]) => section),
    );
    this.dialog.addEventListener("close", () => {
      this.memory.stop();
      this.exporting.stop();
      this.importing.stop();
      this.dialog.remove();
    });
    this.show("General");
  }

  open() {
    document.body.append(this.dialog);
    this.dialog.showModal();
  }

  /** @param {string} title */
  show(title) {
    for (const tab of this.tabs) tab.ariaCurrent = tab.textContent === title ? "true" : null;
    for (const [name, section] of this.sections) section.hidden = name !== title;
    if (title === "Instructions") this.instructions.load();
    if (title === "Memory") this.memory.load();
    if (title === "Data") {
      this.exporting.load();
      this.importing.load();
    }
  }

  /**
   * @param {string} title
   * @param {HTMLElement[]} children
   */
  section(title, ...children) {
    return h("section", { "aria-label": title, tabindex: "0" }, h("h3", { text: title }), ...children);
  }

  /** @param {Setting} setting */
  setting({ name, title, about, words }) {
    const present = this.preferences.get(name);
    const choices = words.map(([value, shown]) => {
      const input = h("input", { type: "radio", name: `setting-${name}`, value, checked: value === present });
      input.addEventListener("change", () => void this.choose(name, input));
      return h("label", {}, input, h("span", { text: shown }));
    });
    const legend = h("legend", {}, h("span", { text: title }), about ? h("small", { text: about }) : null);
    return h("fieldset", { class: "setting", data: { name } }, legend, h("div", { class: "segmented" }, ...choices));
  }

  /**
   * @param {Preference} name
   * @param {HTMLInputElement} input
   */
  async choose(name, input) {
    this.status.textContent = "";
    if (name === "notifications" && input.value === "on" && !(await mayNotify())) {
      this.status.textContent = REFUSED;
      const off = this.dialog.querySelector('[name="setting-notifications"][value="off"]');
      if (off instanceof HTMLInputElement) off.checked = true;
      return;
    }
    this.preferences.set(name, input.value);
  }
}

/** Asks the reader where the browser does not know yet. */
const mayNotify = async () =>
  globalThis.Notification !== undefined && (await Notification.requestPermission()) === "granted";

/** @param {boolean} sendsMail */
function account(sendsMail) {
  const email = way("accounts/email/", "E-mail address", "Only for a new password, if you forget yours.");
  const servers = way("accounts/tool-servers/", "Tool servers", "Which of them may act in your name.");
  return [
    way("accounts/logins/", "Where you are logged in", "Other browsers, and a way to log out everywhere."),
    way("accounts/password_change/", "Password", "Changing it logs you out everywhere else."),
    ...(sendsMail ? [email] : []),
    ...("toolServers" in $("settings-open").dataset ? [servers] : []),
    way("accounts/shares/", "Shared links", "Who has one sees a chat of yours. Revoke those that you no longer need."),
    way("accounts/tokens/", "API tokens", "For programs that use this site in your name."),
    way("accounts/delete/", "Delete chats or account", "All of them. You can change your mind for a while."),
  ];
}

/**
 * @param {string} address
 * @param {string} title
 * @param {string} about
 */
const way = (address, title, about) =>
  h("a", { class: "setting way", href: address }, h("span", { text: title }), h("small", { text: about }));
