// The commands that change the theme.

import { Preferences } from "./preferences.js";

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
