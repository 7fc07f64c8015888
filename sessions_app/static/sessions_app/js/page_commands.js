// What can be done on the whole page, by keys and by the buttons beside the chats; by its name from the palette.

import { $ } from "./dom.js";
import { Drawer } from "./drawer.js";
import { using } from "./later.js";
import { sendKeys } from "./send_key.js";
import { listenForShortcuts } from "./shortcuts.js";

export class PageCommands {
  /**
   * @param {{
   *   palette: Omit<import("./page_palette.js").Needs, "newChat" | "openSettings" | "showShortcuts">, drawer: Drawer,
   *   settings: import("./settings.js").Parts, newChat(): void,
   * }} page what the palette and the settings are made of, when they are first asked for
   */
  constructor({ palette, drawer, settings, newChat }) {
    const openSettings = () => void using("settings", (part) => part.openSettings(settings));
    this.needs = { ...palette, newChat, openSettings, showShortcuts };
    /** @type {import("./page_palette.js").PagePalette | undefined} */
    this.palette = undefined;
    this.drawer = drawer;
    this.listenToButtons();
    this.listenToKeys();
  }

  togglePalette() {
    void using("palette", ({ PagePalette }) => {
      this.palette ??= new PagePalette(this.needs);
      this.palette.toggle();
    });
  }

  listenToButtons() {
    const closeMenu = () => $("account-menu").hidePopover();
    $("search-open").addEventListener("click", () => {
      this.drawer.close();
      this.togglePalette();
    });
    $("settings-open").addEventListener("click", () => {
      closeMenu();
      this.needs.openSettings();
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
        { keys: ["Mod+Shift+O"], act: this.needs.newChat },
        { keys: ["Mod+/", "?"], act: showShortcuts },
        { keys: ["Mod+B", "["], act: () => this.drawer.toggle() },
        { keys: ["/"], act: () => $("text").focus() },
      ],
      $("text"),
    );
  }
}

function showShortcuts() {
  void using("shortcutList", ({ openShortcutList }) => openShortcutList(...sendKeys()));
}
