// What a model has proposed to remember: it is asked under the answer, and kept or not by a person's word.

import { note } from "./message.js";

/**
 * The proposals among an answer's messages, as long as nobody has refused them.
 * @param {Page.Message[]} group
 * @param {Page.Actions} actions
 * @returns {Page.Item[]}
 */
export function proposalItems(group, actions) {
  return group.flatMap((message) => {
    const { id, proposal } = message;
    const text = proposal && proposedBy(group, message.tool_call_id);
    if (!text || proposal === "refused") return [];
    const build = () => (proposal === "open" ? question(message, text, actions) : note("", `Remembered: “${text}”`));
    return [{ key: `proposal:${id}`, version: proposal, build }];
  });
}

/**
 * @param {Page.Message} message
 * @param {string} text
 * @param {Page.Actions} actions
 */
function question(message, text, actions) {
  const box = note(
    "",
    `Remember this? “${text}”`,
    ["Save", () => actions.decide(message, true)],
    ["No", () => actions.decide(message, false)],
  );
  box.classList.add("proposal");
  box.role = "group";
  box.ariaLabel = "A proposal to remember";
  return box;
}

/**
 * What a call was given, by its id; nothing where it can not be read.
 * @param {Page.Message[]} group
 * @param {string | null | undefined} callId
 */
function proposedBy(group, callId) {
  const calls = group.flatMap((message) => message.tool_calls ?? []);
  const call = calls.find(({ id }) => id === callId);
  try {
    const { text } = JSON.parse(call?.arguments ?? "");
    return typeof text === "string" ? text.trim().replaceAll(/\s+/g, " ") : "";
  } catch {
    return "";
  }
}
