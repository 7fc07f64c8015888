// What can be done with the last answer of the open chat, from the palette.

import { announce, toast } from "./announce.js";
import { copy } from "./clipboard.js";
import { Conversation } from "./conversation.js";
import { isAsked } from "./parts.js";

/**
 * None while that answer is not loaded, or still to come.
 * @param {Conversation | null} conversation
 * @param {(message: Page.Message) => void} fork
 * @returns {import("./commands.js").Command[]}
 */
export function answerCommands(conversation, fork) {
  const last = conversation?.lastSaid;
  if (!conversation || conversation.hasNewer || conversation.run || last?.role !== "assistant") return [];
  const { messages } = conversation;
  const asked = messages.findLastIndex(isAsked);
  const answer = messages.slice(asked + 1).flatMap(({ role, text }) => (role === "assistant" && text) || []);
  return [
    { name: "Copy the last answer", words: "message", icon: "copy", isHere: true, act: () => void copied(answer) },
    { name: "New chat from here", words: "fork branch", icon: "fork", isHere: true, act: () => fork(last) },
  ];
}

/** @param {string[]} texts */
async function copied(texts) {
  try {
    await copy(texts.join("\n\n"));
    announce("Copied");
  } catch {
    toast("The browser does not allow copying");
  }
}
