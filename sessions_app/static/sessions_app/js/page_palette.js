// The palette of the page, with all that can be done from it as things are now.

import { answerCommands } from "./answer_commands.js";
import { ChatMenu } from "./chat_menu.js";
import { Conversation } from "./conversation.js";
import { $ } from "./dom.js";
import { Palette } from "./palette.js";
import { Picker } from "./picker.js";
import { modelCommands } from "./picker_menu.js";
import { Preferences } from "./preferences.js";
import { themeCommands } from "./themes.js";

/**
 * `find` is what the palette finds in and goes to, `menu` what the menus of chats are made of.
 * @typedef {{
 *   find: Omit<ConstructorParameters<typeof Palette>[0], "commands" | "current">, picker: Picker,
 *   preferences: Preferences, menu: ConstructorParameters<typeof ChatMenu>[0], conversation(): Conversation | null,
 *   fork(message: Page.Message): void, newChat(): void, openSettings(): void, showShortcuts(): void,
 * }} Needs
 */

/** @typedef {import("./commands.js").Command} Command */

export class PagePalette {
  /** @param {Needs} needs */
  constructor(needs) {
    this.needs = needs;
    this.palette = new Palette({
      ...needs.find,
      current: () => needs.conversation()?.id ?? null,
      commands: () => this.list(),
    });
  }

  toggle() {
    this.palette.toggle();
  }

  /** @returns {Command[]} */
  list() {
    const { picker, preferences, newChat, openSettings, showShortcuts } = this.needs;
    const switching = { name: "Switch model …", words: "profile", icon: "model", act: () => this.askForModel() };
    return [
      ...this.chatCommands(),
      { name: "New chat", icon: "plus", act: newChat, keys: "Mod+Shift+O" },
      ...(picker.isChoice ? [switching] : []),
      ...themeCommands(preferences),
      { name: "Settings", words: "preferences account", icon: "settings", act: openSettings },
      { name: "Shortcuts", words: "keyboard keys help", icon: "keyboard", act: showShortcuts, keys: "Mod+/" },
    ];
  }

  /** What can be done with the open chat. */
  chatCommands() {
    const { menu, conversation, fork } = this.needs;
    const session = menu.sessions.get(conversation()?.id ?? null);
    return [
      ...answerCommands(conversation(), fork),
      ...(session ? new ChatMenu(menu).commands(session, $("title")) : []),
    ];
  }

  askForModel() {
    this.palette.ask("Which model?", modelCommands(this.needs.picker));
  }
}
