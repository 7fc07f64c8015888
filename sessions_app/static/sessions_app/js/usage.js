// What a turn cost: one line under its answer, and behind it what the ledger says in full.

import { h, icon } from "./dom.js";
import { dollars, number, share } from "./words.js";

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
 * A button with the line, and the box that it opens, to be put under it.
 * @param {Api.LedgerShape} ledger
 */
export function usage(ledger) {
  const facts = factList(rows(ledger));
  facts.hidden = true;
  const button = h(
    "button",
    { class: "usage", type: "button", "aria-expanded": "false", text: `${line(ledger)}\u00a0` },
    icon("open"),
  );
  button.addEventListener("click", () => {
    facts.hidden = !facts.hidden;
    button.setAttribute("aria-expanded", String(!facts.hidden));
  });
  return [button, facts];
}

/**
 * `1,204 tokens in · 97 % from cache · 88 out · $0.0012`, and why the cache had less than it should.
 * @param {Api.LedgerShape} ledger
 */
function line(ledger) {
  const parts = [
    `${number(read(ledger))} tokens in`,
    ledger.cached_tokens > 0 && `${share(ledger.cached_tokens, read(ledger))} from cache`,
    `${number(written(ledger))} out`,
    ledger.cost !== null && dollars(ledger.cost),
    ledger.miss && fellShort(ledger.miss) && `cache missed: ${ledger.miss.reason}`,
  ];
  return parts.filter(Boolean).join(" · ");
}

/**
 * Nothing was to be found in a first turn, and nobody knows what was where the provider does not tell.
 * @param {Api.MissShape} miss
 */
const fellShort = (miss) => miss.cause !== "first" && miss.cause !== "unreported";

/**
 * @param {Api.LedgerShape} ledger
 * @returns {Fact[]}
 */
function rows(ledger) {
  const { guard, miss } = ledger;
  return [
    ["Model", `${ledger.model} (${ledger.provider})`],
    ["Prompt", promptWords(ledger)],
    ["Answer", answerWords(ledger)],
    [
      "Cache",
      `${number(ledger.expected_tokens)} tokens expected, ${number(ledger.cached_tokens)} found${miss ? `: ${miss.reason}` : ""}`,
    ],
    ...moneyRows(ledger),
    ["Guard", guard && `Agent ${guard.agent}, transcript ${guard.transcript}: ${guard.reason}`],
  ];
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
