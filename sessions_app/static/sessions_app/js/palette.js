// The palette: one field for chats, what was said in them, and what can be done. It opens with what is here already, and
// what the server finds comes into it.

import { matching } from "./commands.js";
import { $, iconButton } from "./dom.js";
import { Listbox } from "./listbox.js";
import { chatOption, commandOption, hitOption } from "./palette_options.js";
import { search } from "./search.js";
import { titleOf } from "./session_groups.js";
import { Sessions } from "./sessions.js";
import { Socket } from "./socket.js";
import { counted, explain } from "./words.js";

/** @typedef {import("./listbox.js").Group} Group */
/** @typedef {import("./commands.js").Command} Command */
/** @typedef {import("./search.js").Found} Found */

/** Milliseconds without a key before the server is asked. */
const PAUSE = 120;
const RECENT = 5;
/** @type {Found} */
const NOTHING = { titles: [], here: [], said: [] };

export class Palette {
  /**
   * `current` is the id of the open chat, `go` opens an address; what was looked for is marked there. `commands` are
   * asked for each time that something is drawn.
   * @param {{
   *   socket: Socket, sessions: Sessions, current: () => string | null, commands: () => Command[],
   *   go: (address: string, query?: string) => void,
   * }} parts
   */
  constructor({ socket, sessions, current, commands, go }) {
    this.socket = socket;
    this.sessions = sessions;
    this.current = current;
    this.commands = commands;
    this.go = go;
    this.dialog = $("palette", HTMLDialogElement);
    this.field = $("palette-field", HTMLInputElement);
    this.status = $("palette-status");
    this.list = new Listbox(this.field, $("palette-list"));
    this.found = NOTHING;
    this.problem = ""; // why the server's part is missing
    /** @type {Command[] | null} */
    this.choices = null; // in the place of everything: a command asks for one of them
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.latest = 0;
    this.field.addEventListener("input", () => this.type());
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    this.dialog.addEventListener("close", () => this.forget());
    $("palette-close").append(iconButton("close", "Close", () => this.dialog.close()));
  }

  /** Opens it; where it is open, closes it. Focus goes back to where it was, unless something else was chosen. */
  toggle() {
    if (this.dialog.open) this.dialog.close();
    else this.open();
  }

  open() {
    this.draw();
    this.dialog.showModal();
    this.field.focus();
  }

  /**
   * Asks for one of these, under the same field.
   * @param {string} question
   * @param {Command[]} choices
   */
  ask(question, choices) {
    this.forget();
    this.choices = choices;
    this.field.placeholder = question;
    this.field.ariaLabel = question;
    if (!this.dialog.open) this.open();
    else this.draw();
  }

  forget() {
    clearTimeout(this.timer);
    this.latest += 1;
    this.field.value = "";
    this.field.placeholder = "Search chats and commands";
    this.field.ariaLabel = this.field.placeholder;
    this.status.textContent = "";
    this.problem = "";
    this.choices = null;
    this.found = NOTHING;
  }

  get query() {
    return this.field.value.trim();
  }

  type() {
    clearTimeout(this.timer);
    this.latest += 1;
    this.problem = "";
    if (!this.query) this.found = NOTHING;
    else if (!this.choices) this.timer = setTimeout(() => this.look(), PAUSE);
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowDown: () => this.list.move(1),
      ArrowUp: () => this.list.move(-1),
      Enter: () => this.list.act(),
    };
    const act = acts[event.key];
    if (!act || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act();
  }

  async look() {
    const number = this.latest;
    const { query } = this;
    try {
      const found = await search(this.socket, query, this.current());
      if (number !== this.latest) return;
      this.found = found;
      this.problem = "";
    } catch (error) {
      if (number !== this.latest) return;
      this.problem = explain(error);
    }
    this.draw({ stay: true });
    this.tell();
  }

  tell() {
    const { titles, here, said } = this.found;
    const hits = here.length + said.length;
    const isEmpty = !this.list.options.length;
    const count = `${counted(titles.length, "chat", "chats")}, ${counted(hits, "message", "messages")}`;
    const nothing = `Nothing found for “${this.query}”. Try fewer or other words.`;
    this.status.textContent = this.problem || (isEmpty ? nothing : count);
    this.status.classList.toggle("visually-hidden", !isEmpty && !this.problem);
  }

  /** @param {{ stay?: boolean }} [options] */
  draw(options) {
    this.status.classList.add("visually-hidden");
    this.list.show(
      this.choices ? this.choiceGroups(this.choices) : this.query ? this.hitGroups() : this.startGroups(),
      options,
    );
  }

  /**
   * @param {Command[]} choices
   * @returns {Group[]}
   */
  choiceGroups(choices) {
    return [
      { heading: this.field.placeholder, options: matching(choices, this.query).map((one) => this.command(one)) },
    ];
  }

  /** @returns {Group[]} */
  startGroups() {
    const recent = this.sessions.shown.filter((session) => session.id !== this.current()).slice(0, RECENT);
    return [
      { heading: "Recent", options: recent.map((session) => this.chat(session)) },
      ...this.commandGroups(this.commands()),
    ];
  }

  /**
   * @param {Command[]} commands
   * @returns {Group[]}
   */
  commandGroups(commands) {
    /** @param {boolean} isHere */
    const options = (isHere) =>
      commands.filter((command) => (command.isHere ?? false) === isHere).map((command) => this.command(command));
    return [
      { heading: "This chat", options: options(true) },
      { heading: "Do", options: options(false) },
    ];
  }

  /** @returns {Group[]} */
  hitGroups() {
    const { titles, here, said } = this.found;
    const commands = matching(this.commands(), this.query);
    // Until the server has answered, those that are loaded have to do.
    const known = matching(
      this.sessions.shown.map((session) => ({ name: titleOf(session), session })),
      this.query,
    ).map(({ session }) => session);
    const chats = titles.length ? titles : known.slice(0, RECENT);
    const again = { name: "Search again", icon: "again", act: () => void this.look() };
    return [
      ...(this.problem ? [{ heading: "Search", options: [{ ...this.command(again), act: again.act }] }] : []),
      ...this.commandGroups(commands),
      { heading: "Chats", options: chats.map((session) => this.chat(session)) },
      { heading: "In this chat", options: here.map((hit) => this.hit(hit)) },
      { heading: "In messages", options: said.map((hit) => this.hit(hit)) },
    ];
  }

  /** @param {Command} command */
  command(command) {
    return commandOption(command, (act) => this.leave(act));
  }

  /** @param {Api.SessionShape} session */
  chat(session) {
    return chatOption(session, () => this.leave(() => this.go(`?chat=${session.id}`)));
  }

  /** @param {Api.HitShape} found */
  hit(found) {
    const { query } = this;
    const address = `?chat=${found.session_id}&at=${found.message_id}`;
    return hitOption(found, found.session_id === this.current(), () => this.leave(() => this.go(address, query)));
  }

  /**
   * Closes, then does it: what it shows gets the focus.
   * @param {() => void} act
   */
  leave(act) {
    this.dialog.close();
    act();
  }
}
