// What stands in the way of going on from an earlier place of a conversation.

/** @typedef {import("./conversation.js").Conversation} Conversation */

const RUNNING = "Not while an answer is on its way: wait for its end, or stop it";
const SENDING = "Not while something else is on its way to the server";

/**
 * Why it cannot be gone on with from there just now; empty where it can.
 * @param {Conversation | null} conversation
 * @param {Page.Entry[]} sent what was said in it, and has not arrived
 */
export function whyBusy(conversation, sent) {
  const { run, queued, steering } = conversation ?? {};
  if (run || queued?.length) return RUNNING;
  return steering || sent.some((entry) => entry.state !== "refused") ? SENDING : "";
}
