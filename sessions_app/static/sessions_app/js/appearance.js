// What the reader's preferences do to the page, and the commands that change its theme.

import { Composer } from "./composer.js";
import { Preferences } from "./preferences.js";
import { setSendKey } from "./send_key.js";
import { setHours, when } from "./words.js";

/**
 * Applies the preferences, now and whenever they change.
 * @param {Preferences} preferences
 * @param {Composer} composer
 */
export function follow(preferences, composer) {
  const show = () => {
    showTheme(preferences.get("theme"));
    setHours(preferences.get("hours"));
    setSendKey(preferences.get("sendKey"));
    showTimes();
    composer.showKeys();
  };
  preferences.on("change", show);
  show();
}

/** @param {string} theme */
function showTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** The times that are on the page already. */
function showTimes() {
  /** @type {NodeListOf<HTMLTimeElement>} */
  const times = document.querySelectorAll("time[datetime]");
  for (const time of times) {
    const { short, long } = when(time.dateTime);
    Object.assign(time, { textContent: short, title: long });
  }
}

/**
 * @param {Preferences} preferences
 * @returns {import("./commands.js").Command[]}
 */
export function themeCommands(preferences) {
  const present = preferences.get("theme");
  const isDark = present === "system" ? matchMedia("(prefers-color-scheme: dark)").matches : present === "dark";
  const other = isDark ? "light" : "dark";
  const set = (/** @type {string} */ theme) => () => preferences.set("theme", theme);
  const switching = { name: `Use the ${other} theme`, words: "mode", icon: "moon", act: set(other) };
  const system = { name: "Use the system’s theme", words: "mode", icon: "moon", act: set("system") };
  return present === "system" ? [switching] : [switching, system];
}
