// What the list of chats says: titles, and headings with what is under them. Plain functions of sessions, no page.

import { period } from "./words.js";

/** @param {Api.SessionShape | undefined} session */
export const titleOf = (session) => session?.title || "New chat";

/**
 * Headings with what is under them, in the order shown. The archive has one.
 * @param {Api.SessionShape[]} sessions
 * @param {boolean} archived
 */
export function groups(sessions, archived) {
  /** @type {Map<string, Api.SessionShape[]>} */
  const found = new Map();
  for (const session of sessions) {
    const heading = archived ? "Archived" : session.pinned ? "Pinned" : period(session.updated_at);
    const group = found.get(heading);
    if (group) group.push(session);
    else found.set(heading, [session]);
  }
  return [...found];
}
