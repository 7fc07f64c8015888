// What can be done on the whole page: by its name from the palette, by keys, and by the buttons beside the chats.

import { themeCommands } from "./appearance.js";
import { $ } from "./dom.js";
import { Drawer } from "./drawer.js";
import { Palette } from "./palette.js";
import { Picker } from "./picker.js";
import { Preferences } from "./preferences.js";
import { sendKeys } from "./send_key.js";
import { openSettings } from "./settings.js";
import { openShortcutList } from "./shortcut_list.js";
import { listenForShortcuts } from "./shortcuts.js";

export class PageCommands {
  /**
   * @param {{
   *   palette: Palette, drawer: Drawer, picker: Picker, preferences: Preferences, sendsMail: boolean,
   *   newChat(): void,
   * }} parts
   */
  constructor({ palette, drawer, picker, preferences, sendsMail, newChat }) {
    this.palette = palette;
    this.drawer = drawer;
    this.picker = picker;
    this.newChat = newChat;
    this.openSettings = () => openSettings(preferences, sendsMail);
    this.themes = () => themeCommands(preferences);
    this.listenToButtons();
    this.listenToKeys();
  }

  /**
   * Those of the palette, as they are now.
   * @returns {import("./commands.js").Command[]}
   */
  list() {
    const switching = { name: "Switch model …", words: "profile", icon: "model", act: () => this.askForModel() };
    return [
      { name: "New chat", icon: "plus", act: this.newChat, keys: "Mod+Shift+O" },
      ...(this.picker.isChoice ? [switching] : []),
      ...this.themes(),
      { name: "Settings", words: "preferences account", icon: "settings", act: this.openSettings },
      { name: "Shortcuts", words: "keyboard keys help", icon: "keyboard", act: showShortcuts, keys: "Mod+/" },
    ];
  }

  askForModel() {
    this.palette.ask("Which model?", this.picker.commands());
  }

  listenToButtons() {
    const closeMenu = () => $("account-menu").hidePopover();
    $("search-open").addEventListener("click", () => {
      this.drawer.close();
      this.palette.toggle();
    });
    $("settings-open").addEventListener("click", () => {
      closeMenu();
      this.openSettings();
    });
    $("shortcuts-open").addEventListener("click", () => {
      closeMenu();
      showShortcuts();
    });
  }

  listenToKeys() {
    listenForShortcuts(
      [
        { keys: ["Mod+K"], act: () => this.palette.toggle(), closes: "#palette" },
        { keys: ["Mod+Shift+O"], act: this.newChat },
        { keys: ["Mod+/", "?"], act: showShortcuts },
        { keys: ["Mod+B", "["], act: () => this.drawer.toggle() },
        { keys: ["/"], act: () => $("text").focus() },
      ],
      $("text"),
    );
  }
}

function showShortcuts() {
  openShortcutList(...sendKeys());
}
