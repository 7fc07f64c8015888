// What is said of a profile where it can be chosen.

import { counted } from "./words.js";

/**
 * What files a profile's model does not take, in words; empty where it takes all.
 * @param {Api.ChoiceShape} profile
 */
export function notTaken({ takes_images, takes_files }) {
  const kinds = [...(takes_images ? [] : ["pictures"]), ...(takes_files ? [] : ["documents"])];
  return kinds.length ? `Takes no ${kinds.join(" and no ")}` : "";
}

/**
 * What it costs that another profile's model reads a chat; empty where nobody knows.
 * @param {Api.SessionShape | undefined} session
 * @param {Api.ChoiceShape} profile
 */
export function costOfSwitch(session, { id, input_price: price }) {
  const tokens = session?.context.tokens;
  if (!session || session.profile === id || !tokens || price === null) return "";
  const about = counted(rounded(tokens), "token", "tokens");
  return `The model reads this chat anew: about ${about}, ${cents((tokens * price) / 1_000_000)}`;
}

const money = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });

/** @param {number} cost in US dollars; an estimate, so to the cent */
const cents = (cost) => (cost < 0.01 ? "less than $0.01" : money.format(cost));

/**
 * Two digits of it: nobody knows how another model counts.
 * @param {number} count
 */
const rounded = (count) => Number(count.toPrecision(2));
