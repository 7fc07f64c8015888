// What stands under a message whose answer is missing or not whole: why, and what can be done about it.

import { note } from "./message.js";
import { canContinue, explainError, explainFinish, mayHelpAgain, STOPPED } from "./words.js";

/**
 * What stands under a message: why there is no answer, or no more of it.
 * @typedef {{ error: Page.TurnError, finish?: undefined } | { error?: undefined, finish: Page.Finish }} Note
 */

/**
 * @param {Page.Message} message
 * @param {string | null} unanswered the id of the message that has no answer
 * @returns {Note | null}
 */
export function noteOf({ id, role, status, error, finish }, unanswered) {
  if (error) return { error };
  if (["interrupted", "failed"].includes(status)) return { error: { code: status } };
  if (role === "user") return id === unanswered ? { error: { code: "unanswered" } } : null;
  return finish ? { finish } : null;
}

/**
 * The note as an item, with what can be done about it; only at the end of the chat anything can.
 * @param {Page.Message} message
 * @param {string | null} unanswered the id of the message that has no answer
 * @param {Page.Message | null | undefined} asked the message that is answered, where this is the end
 * @param {Page.Actions} actions
 * @returns {Page.Item[]}
 */
export function noteItems(message, unanswered, asked, actions) {
  const shown = noteOf(message, unanswered);
  if (!shown) return [];
  const words = shown.error ? explainError(shown.error) : (explainFinish(shown.finish) ?? "");
  const buttons = asked ? remedies(shown, message, asked, actions) : [];
  const build = () => note(shown.error && shown.error.code !== STOPPED.code ? "bad" : "", words, ...buttons);
  return [{ key: `note:${message.id}`, version: `${words}:${Boolean(asked)}`, build }];
}

/**
 * Why the summary was not made that was asked for last: at the end of the chat.
 * @param {Pick<import("./conversation.js").Conversation, "unsummarised">} conversation
 * @param {Page.Actions} actions
 * @returns {Page.Item[]}
 */
export function unsummarisedItems({ unsummarised }, actions) {
  if (!unsummarised) return [];
  const { code, text } = unsummarised;
  const words = code === "conflict" ? text : `${text} The chat is as it was.`;
  const build = () => note("bad", words, ["Try again", () => actions.summarise()]);
  return [{ key: "unsummarised", version: words, build }];
}

/**
 * @param {Note} note
 * @param {Page.Message} message under which it stands
 * @param {Page.Message} asked
 * @param {Page.Actions} actions
 * @returns {Page.Choice[]}
 */
function remedies({ error, finish }, message, asked, actions) {
  if (!error) return canContinue(finish) ? [["Continue", () => actions.send("Continue.")]] : [];
  if (!mayHelpAgain(error)) return [["Edit in a new chat", () => actions.startOver(asked.text)]];
  return [["Try again", () => actions.regenerate(message === asked ? undefined : message.id)]];
}
