// What a turn cost, in words: for its user, and in full for staff.

import { h } from "./dom.js";
import { dollars, number } from "./words.js";

/** @typedef {Pick<Api.LedgerShape, "cost" | "saved">} Money in US dollars, null where no price is known */
/** @typedef {[term: string, words: string | false | null]} Fact */

/**
 * The prompt of a turn, or of all turns of a chat, in tokens.
 * @param {Pick<Api.LedgerShape, "fresh_tokens" | "cache_write_tokens" | "cached_tokens">} ledger
 */
export const read = (ledger) => ledger.fresh_tokens + ledger.cache_write_tokens + ledger.cached_tokens;

/**
 * The answer, likewise, its reasoning included.
 * @param {Pick<Api.LedgerShape, "output_tokens">} ledger
 */
export const written = (ledger) => ledger.output_tokens;

/**
 * What anybody may want to know: how much was read and written, and what it cost.
 * @param {Api.LedgerShape} ledger
 * @returns {Fact[]}
 */
export const userRows = (ledger) => [
  ["Read", `${number(read(ledger))} tokens`],
  ["Answer", answerWords(ledger)],
  ["Cost", ledger.cost !== null && dollars(ledger.cost)],
];

/**
 * What only those can act on who run the site.
 * @param {Api.LedgerShape} ledger
 * @returns {Fact[]}
 */
export function staffRows(ledger) {
  const { guard, miss, retention, told_reason } = ledger;
  return [
    ["Provider", `${ledger.provider}, ${ledger.model}`],
    ["Prompt", promptWords(ledger)],
    [
      "Cache",
      `${number(ledger.expected_tokens)} tokens expected, ${number(ledger.cached_tokens)} found${miss ? `: ${miss.reason}` : ""}`,
    ],
    ["Provider says", told_reason],
    ["Kept", retention && retentionWords(retention)],
    ["Saved", ledger.saved !== null && `${dollars(ledger.saved)} by the cache`],
    ["Guard", guard && `Agent ${guard.agent}, transcript ${guard.transcript}: ${guard.reason}`],
  ];
}

/** @param {Api.RetentionShape} retention */
function retentionWords({ seconds, reason }) {
  return `${seconds ? `${number(seconds / 60)} minutes` : "Not"} in the provider's cache: ${reason}`;
}

/** @param {Api.LedgerShape} ledger */
function promptWords(ledger) {
  /** @type {[tokens: number, what: string][]} */
  const parts = [
    [ledger.cached_tokens, "from cache"],
    [ledger.cache_write_tokens, "newly cached"],
    [ledger.fresh_tokens, "new"],
  ];
  return `${number(read(ledger))} tokens: ${parts
    .filter(([tokens]) => tokens)
    .map(([tokens, what]) => `${number(tokens)} ${what}`)
    .join(", ")}`;
}

/** @param {Pick<Api.LedgerShape, "output_tokens" | "reasoning_tokens">} ledger */
export function answerWords(ledger) {
  return `${number(written(ledger))} tokens${ledger.reasoning_tokens ? `, ${number(ledger.reasoning_tokens)} of them reasoning` : ""}`;
}

/**
 * What was paid, and how much more the same tokens would have cost without a cache; nothing where no price is known.
 * @param {Money} ledger
 * @returns {Fact[]}
 */
export function moneyRows({ cost, saved }) {
  if (cost === null || saved === null) return [];
  return [
    ["Cost", dollars(cost)],
    ["Saved", `${dollars(saved)} by the cache`],
  ];
}

/**
 * A list of terms, each with what is to say of it; those without are left out.
 * @param {Fact[]} facts
 */
export function factList(facts) {
  return h(
    "dl",
    { class: "facts" },
    ...facts.flatMap(([term, words]) => (words ? [h("dt", { text: term }), h("dd", { text: words })] : [])),
  );
}
