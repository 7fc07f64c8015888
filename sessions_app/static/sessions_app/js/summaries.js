// Whether a chat can be summarised, and why it was not. Plain functions, no page.

import { Refused } from "./socket.js";
import { CONFLICT, explain } from "./words.js";

const EMPTY = "Nothing was said in this chat yet";
const NOTHING_NEW = "Nothing was said since the last summary";

/**
 * Why a chat cannot be summarised, as far as is known here; empty where the server may have something to summarise.
 * @param {Pick<import("./conversation.js").Conversation, "messages" | "hasNewer">} conversation
 */
export function whyNot({ messages, hasNewer }) {
  const last = messages.at(-1);
  if (!last) return EMPTY;
  const said = messages.findLast(({ kind }) => !kind);
  const isNew = hasNewer || last.kind !== "summary" || !last.text || said?.role === "user";
  return isNew ? "" : NOTHING_NEW;
}

/**
 * Of what is in the way the server says what it is.
 * @param {unknown} error
 */
export function explainCompaction(error) {
  const isInTheWay = error instanceof Refused && error.code === CONFLICT;
  return isInTheWay ? `${error.message} The chat is as it was.` : explain(error);
}
