// What can be done on the whole page: by its name from the palette, by keys, and by the buttons beside the chats.

import { themeCommands } from "./appearance.js";
import { $ } from "./dom.js";
import { Drawer } from "./drawer.js";
import { parts, using } from "./later.js";
import { Picker } from "./picker.js";
import { Preferences } from "./preferences.js";
import { sendKeys } from "./send_key.js";
import { listenForShortcuts } from "./shortcuts.js";

export class PageCommands {
  /**
   * @param {{
   *   palette: Omit<ConstructorParameters<typeof import("./palette.js").Palette>[0], "commands">, drawer: Drawer,
   *   picker: Picker, preferences: Preferences, settings: import("./settings.js").Parts, newChat(): void,
   *   chatCommands(): import("./commands.js").Command[],
   * }} page what the palette is made of, when it is first asked for, and what the commands are about
   */
  constructor({ palette, drawer, picker, preferences, settings, newChat, chatCommands }) {
    this.needs = palette;
    /** @type {import("./palette.js").Palette | undefined} */
    this.palette = undefined;
    this.drawer = drawer;
    this.picker = picker;
    this.newChat = newChat;
    this.chatCommands = chatCommands;
    this.openSettings = () => void using(parts.settings, ({ openSettings }) => openSettings(settings));
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
      ...this.chatCommands(),
      { name: "New chat", icon: "plus", act: this.newChat, keys: "Mod+Shift+O" },
      ...(this.picker.isChoice ? [switching] : []),
      ...this.themes(),
      { name: "Settings", words: "preferences account", icon: "settings", act: this.openSettings },
      { name: "Shortcuts", words: "keyboard keys help", icon: "keyboard", act: showShortcuts, keys: "Mod+/" },
    ];
  }

  /** @param {(palette: import("./palette.js").Palette) => void} act */
  withPalette(act) {
    void using(parts.palette, ({ Palette }) => {
      this.palette ??= new Palette({ ...this.needs, commands: () => this.list() });
      act(this.palette);
    });
  }

  togglePalette() {
    this.withPalette((palette) => palette.toggle());
  }

  askForModel() {
    this.withPalette((palette) => palette.ask("Which model?", this.picker.commands()));
  }

  listenToButtons() {
    const closeMenu = () => $("account-menu").hidePopover();
    $("search-open").addEventListener("click", () => {
      this.drawer.close();
      this.togglePalette();
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
        { keys: ["Mod+K"], act: () => this.togglePalette(), closes: "#palette" },
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
  void using(parts.shortcutList, ({ openShortcutList }) => openShortcutList(...sendKeys()));
}
