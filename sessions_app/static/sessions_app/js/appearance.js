// What the reader's preferences do to the page.

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
