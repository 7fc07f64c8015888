// What the palette offers, one by one: a command, a chat, a message that was found.

import { toast } from "./announce.js";
import { h, icon } from "./dom.js";
import { keysOf } from "./keys.js";
import { piecesOf } from "./search.js";
import { titleOf } from "./session_groups.js";
import { when } from "./words.js";

/** @typedef {import("./listbox.js").Option} Option */

/**
 * One that cannot be done just now says why.
 * @param {import("./commands.js").Command} command
 * @param {(act: () => void) => void} leave closes the palette, then does it
 * @returns {Option}
 */
export function commandOption({ name, icon: drawing, act, keys, reason }, leave) {
  return {
    act: () => leave(reason ? () => toast(reason) : act),
    build: () => [
      icon(drawing),
      h("span", { class: "option-name" }, name, reason ? h("small", { text: reason }) : null),
      keys ? h("span", { class: "option-keys" }, ...keysOf(keys).map((key) => h("kbd", { text: key }))) : null,
    ],
  };
}

/**
 * @param {Api.SessionShape} session
 * @param {() => void} act
 * @returns {Option}
 */
export function chatOption(session, act) {
  return {
    act,
    build: () => [
      icon("chat"),
      h("span", { class: "option-name", dir: "auto", text: titleOf(session) }),
      h("span", { class: "option-tag", text: session.archived ? "Archived" : when(session.updated_at).short }),
    ],
  };
}

/**
 * @param {Api.HitShape} hit
 * @param {boolean} isHere in the open chat
 * @param {() => void} act
 * @returns {Option}
 */
export function hitOption({ title, snippet, marks }, isHere, act) {
  const words = piecesOf(snippet, marks).map(([piece, isMarked]) => (isMarked ? h("mark", { text: piece }) : piece));
  return {
    act,
    build: () => [
      icon("quote"),
      h(
        "span",
        { class: "option-name" },
        isHere ? null : h("bdi", { text: title || "New chat" }),
        h("small", { dir: "auto" }, ...words),
      ),
    ],
  };
}
