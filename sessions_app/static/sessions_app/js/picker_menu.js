// The menus in which a profile is chosen: for a chat, for a new one, for one answer in the place of another.

import { toast } from "./announce.js";
import { costOfSwitch, notTaken } from "./choice_words.js";
import { Picker } from "./picker.js";
import { NOT_OFFERED } from "./profiles.js";
import { openChoice } from "./sheet.js";
import { explain } from "./words.js";

/**
 * Opens the menu of who may answer.
 * @param {Picker} picker
 */
export function openPicker(picker) {
  const { session, profiles } = picker;
  const present = profiles.of(session);
  const entries = profiles.list.map((profile) => ({
    ...entryOf(profile, costOfSwitch(session, profile)),
    checked: profile === present,
    act: () => void choose(picker, profile),
  }));
  openChoice(picker.button, entries, "Model");
}

/**
 * Opens a menu of who may answer in the place of an answer.
 * @param {Picker} picker
 * @param {HTMLElement} button
 * @param {(profile?: number) => void} regenerate
 */
export function openAgain({ session, profiles }, button, regenerate) {
  const others = profiles.list.filter((profile) => profile.id !== session?.profile);
  const again = profiles.whyGone(session) ? [] : [{ label: "Try again", act: () => regenerate() }];
  const entries = others.map((profile) => {
    const { label, ...entry } = entryOf(profile, costOfSwitch(session, profile));
    return { ...entry, label: `Try again with ${label}`, act: () => regenerate(profile.id) };
  });
  openChoice(button, [...again, ...entries], "Try again");
}

/**
 * The same choice for the palette.
 * @param {Picker} picker
 * @returns {import("./commands.js").Command[]}
 */
export function modelCommands(picker) {
  const { session, profiles } = picker;
  return profiles.list.map((profile) => ({
    name: profile.name,
    words: profile.description,
    icon: profile === profiles.of(session) ? "check" : "model",
    act: () => void choose(picker, profile),
  }));
}

/**
 * @param {Api.ChoiceShape} profile
 * @param {string} cost
 */
function entryOf(profile, cost) {
  const { name, description, model } = profile;
  return { label: name, lines: [description, called(model), notTaken(profile), cost].filter(Boolean) };
}

/**
 * @param {Picker} picker
 * @param {Api.ChoiceShape} profile
 */
async function choose({ session, sessions, profiles }, { id, name }) {
  if (!session) {
    profiles.choose(id);
    return;
  }
  if (session.profile === id) return;
  try {
    await sessions.update(session.id, { profile: id });
    toast(`${name} answers from the next message on`);
  } catch (error) {
    toast((await profiles.isRefused(error, id)) ? NOT_OFFERED : explain(error));
  }
}

/**
 * What a model is called under the answers it gives: without the way in which it is asked.
 * @param {string} model
 */
const called = (model) => model.slice(model.indexOf(":") + 1);
