// What the page says: errors with what to do about them, times, numbers.

import { Refused } from "./socket.js";

export const NOT_FOUND = -32001;
export const TOO_LARGE = -32002;
export const TOO_MANY = -32003;
export const CONFLICT = -32004;
const FORBIDDEN = -32005;
export const INVALID = -32602;
const INTERNAL = -32603;

export const GONE = "This chat no longer exists. It may have been deleted in another window.";

/** Seconds. Somebody who writes waits no longer for a budget: then it is used up, and not only reserved. */
const WAITED_FOR = 60;

/**
 * Whether waiting does not help: a quota, or a budget that resets much later; not a rate.
 * @param {Refused} error
 */
export const isUsedUp = ({ code, data }) =>
  code === TOO_MANY &&
  (data.quota !== undefined || (data.budget !== undefined && (data.retry_after ?? 0) > WAITED_FOR));

/**
 * What a tool is called in a sentence.
 * @param {string} tool
 */
export const toolWords = (tool) => tool.replaceAll("_", " ");

/**
 * That a person is asked about calls of tools.
 * @param {Pick<Api.ApprovalShape, "tool">[]} approvals
 */
export const explainWaiting = ([first, ...others]) =>
  first && !others.length
    ? `Your decision is needed: the answer wants to use ${toolWords(first.tool)}.`
    : `Your decision is needed: the answer wants to use ${others.length + 1} tools.`;

export const WRITING_REFUSES = "Your decision is needed above. If you write something else, what waits is refused.";

export const SUMMARISING = "Summarising the earlier part of this chat …";
export const SUMMARISED = "Earlier messages were summarised";

export const ELSEWHERE = "This chat went on elsewhere.";

/**
 * Whether another line of the chat was chosen since it was fetched: the server says the present revision.
 * @param {unknown} error
 */
export const isOvertaken = (error) =>
  error instanceof Refused && error.code === CONFLICT && error.data.revision !== undefined;

/**
 * Why a conversation does not go on from an earlier place: where a turn is in the way, in the server's words.
 * @param {unknown} error
 */
export function explainSteering(error) {
  if (isOvertaken(error)) return `${ELSEWHERE} You see it as it is now.`;
  if (error instanceof Refused && error.code === CONFLICT) return error.message;
  if (error instanceof Refused && error.code === NOT_FOUND) return "This message no longer exists.";
  return explain(error);
}

/**
 * Bytes, for people.
 * @param {number} bytes
 */
export function sizeOf(bytes) {
  if (bytes < 1_000) return `${bytes} B`;
  const [size, unit] = bytes < 999_500 ? [bytes / 1_000, "kB"] : [bytes / 1_000_000, "MB"];
  return `${number(size < 10 ? Math.round(size * 10) / 10 : Math.round(size))} ${unit}`;
}

/**
 * One sentence or two for a person.
 * @param {unknown} error what a call was rejected with
 */
export function explain(error) {
  if (error instanceof Refused) return explainRefusal(error);
  return "The connection was lost before the server answered. Try again once you are connected.";
}

/** @param {Refused} error */
function explainRefusal(error) {
  switch (error.code) {
    case NOT_FOUND:
      return GONE;
    case TOO_LARGE:
    case FORBIDDEN:
      return error.message;
    case TOO_MANY:
      if (error.data.resets_at && isUsedUp(error)) return explainBudget(error.message, error.data.resets_at);
      return isUsedUp(error)
        ? error.message
        : `${error.message} Wait ${duration(error.data.retry_after ?? 1)} and try again.`;
    case CONFLICT:
      if (error.data.profile !== undefined) return `${error.message} Then send it again.`;
      return "This was changed elsewhere in the meantime. Look at the chat as it is now, then try again.";
    case INTERNAL:
      return "The server could not do this just now. Try again in a moment.";
    default:
      return `The server could not do this: ${error.message}`;
  }
}

/**
 * What the server says of a budget, with the time at which it resets as the reader's clock has it.
 * @param {string} message
 * @param {string} resets
 */
const explainBudget = (message, resets) => `${message.replace(/ It resets on .*$/, "")} It resets ${momentOf(resets)}.`;

const TOO_LONG = "context";

/** As the server says it of a message whose turn was stopped before there was an answer. */
export const STOPPED = { code: "stopped", text: "You stopped this answer." };

/**
 * Of messages whose turn the server says nothing of.
 * @type {Record<string, string>}
 */
const ERRORS = {
  unanswered: "This message has no answer.",
  interrupted: "The server stopped in the middle of the answer.",
};

/**
 * Why a turn has no answer, or only half of one: in the server's words where there are some.
 * @param {Page.TurnError} error
 */
export const explainError = ({ code, text }) =>
  code === STOPPED.code
    ? STOPPED.text
    : `${sentence(text || ERRORS[code] || "The answer broke off.")} Your message is kept.`;

/**
 * Whether the same message may get an answer when it is sent again.
 * @param {Page.TurnError} error
 */
export const mayHelpAgain = ({ code }) => code !== TOO_LONG;

const FINISHES = {
  length: "The answer reached its length limit.",
  content_filter: "The provider's filter ended this answer.",
  refusal: "The model declined to go on.",
  context: "The chat has filled the model's window; this answer had no more room.",
  pause: "The provider paused this answer.",
  budget: "Nothing more of your budget was left for this answer.",
};

/**
 * Why a complete answer is not whole; nothing where it is.
 * @param {Page.Finish} finish
 */
export const explainFinish = (finish) => finish && (FINISHES[finish] ?? "The provider ended this answer early.");

/**
 * Whether the model would go on if it were asked to.
 * @param {Page.Finish} finish
 */
export const canContinue = (finish) => finish === "length" || finish === "pause";

/** @param {string} text */
const sentence = (text) => (/[.!?…]$/.test(text) ? text : `${text}.`);

const numbers = new Intl.NumberFormat("en");
/** @param {number} value */
export const number = (value) => numbers.format(value);

/**
 * @param {number} count
 * @param {string} one
 * @param {string} many
 */
export const counted = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;

/**
 * `97 %`, rounded down: all is said of all only.
 * @param {number} part
 * @param {number} whole
 */
export const share = (part, whole) => `${Math.floor((100 * part) / whole)}\u00a0%`;

const money = new Intl.NumberFormat("en", {
  style: "currency",
  currency: "USD",
  minimumSignificantDigits: 2,
  maximumSignificantDigits: 2,
  roundingPriority: "morePrecision",
});

/**
 * `$12.30`, `$0.0012`: to the cent, and two digits of what is less.
 * @param {number} value
 */
export const dollars = (value) => money.format(value);

/** @param {number} seconds */
export function duration(seconds) {
  return seconds === 1
    ? "1 second"
    : seconds < 120
      ? `${Math.ceil(seconds)} seconds`
      : `${Math.ceil(seconds / 60)} minutes`;
}

/** The page's own language; its form with the day before the month. */
const LANGUAGE = "en-GB";
const date = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "full" });
const day = new Intl.DateTimeFormat(LANGUAGE, { day: "numeric", month: "short" });
let clock = clockOf("system");

/** @param {string} hours "12", "24", or "system": as the reader's own language has them */
function clockOf(hours) {
  const { hour12 = false } = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions();
  const isTwelve = hours === "system" ? hour12 : hours === "12";
  return new Intl.DateTimeFormat(LANGUAGE, {
    hour: isTwelve ? "numeric" : "2-digit",
    minute: "2-digit",
    hour12: isTwelve,
  });
}

/**
 * A day and a time, for people: `on 29 Nov at 00:00`.
 * @param {string} time
 */
export function momentOf(time) {
  const moment = new Date(time);
  return `on ${day.format(moment)} at ${clock.format(moment)}`;
}

/** @param {string} hours as `clockOf` takes them */
export function setHours(hours) {
  clock = clockOf(hours);
}

/**
 * `14:05` today, `3 May, 14:05` before; `long` for its tooltip.
 * @param {string} iso
 */
export function when(iso) {
  const moment = new Date(iso);
  const [time, today] = [clock.format(moment), moment.toDateString() === new Date().toDateString()];
  return { short: today ? time : `${day.format(moment)}, ${time}`, long: `${date.format(moment)}, ${time}` };
}

const DAY = 86_400_000;

/**
 * The heading in the list of chats under which a time falls.
 * @param {string} iso
 */
export function period(iso) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const time = new Date(iso).getTime();
  if (time >= midnight) return "Today";
  if (time >= midnight - DAY) return "Yesterday";
  if (time >= midnight - 7 * DAY) return "Last seven days";
  if (time >= midnight - 30 * DAY) return "Last thirty days";
  return "Older";
}
