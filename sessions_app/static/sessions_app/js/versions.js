// Which versions a place of the conversation has. Plain functions of messages, no page.

import { isAsked } from "./parts.js";

/**
 * What stands in the place of this message: itself and its alternatives. Null where it stands alone.
 * @param {Page.Message} message
 * @returns {Page.Versions | null}
 */
export function versionsOf({ id, alternatives, place = 1 }) {
  return alternatives.length ? { ids: alternatives.toSpliced(place - 1, 0, id), at: place - 1 } : null;
}

/** @param {Page.Versions} versions */
export const versionWords = ({ ids, at }) => `Version ${at + 1} of ${ids.length}`;

/**
 * The last message of what begins with a message: of a user's message that itself, of an answer its last step.
 * @param {Page.Message[]} messages
 * @param {string} first the id of the message that it begins with
 */
export function lastOf(messages, first) {
  const [begin, ...others] = messages.slice(messages.findIndex((message) => message.id === first));
  if (!begin || begin.role === "user") return begin;
  const next = others.findIndex(isAsked);
  const steps = next < 0 ? others : others.slice(0, next);
  return steps.findLast((message) => message.role === "assistant") ?? begin;
}

/**
 * The answers of a line, by the id of their last message, under which their buttons stand. An answer is all that follows
 * a user's message; its first message, which may be a step that called tools, tells of its versions. Where that stands
 * alone, the first one that does not: another answer to the same results, or results that a program has changed.
 * @param {Page.Message[]} messages
 * @param {boolean} running whether the last one is still being written, and so is none yet
 * @returns {Map<string, Page.Versions | null>}
 */
export function answersOf(messages, running) {
  /** @type {[id: string, versions: Page.Versions | null][]} */
  const answers = [];
  let begun = false;
  for (const message of messages.filter(({ kind }) => !kind)) {
    if (message.role === "assistant") {
      const earlier = begun ? answers.pop()?.[1] : null;
      answers.push([message.id, earlier ?? versionsOf(message)]);
    }
    const last = answers.at(-1);
    if (message.role === "tool" && begun && last) last[1] ??= versionsOf(message);
    begun = message.role === "assistant" || (begun && message.role === "tool");
  }
  return new Map(running && begun ? answers.slice(0, -1) : answers);
}
