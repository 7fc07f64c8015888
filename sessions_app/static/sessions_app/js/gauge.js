// Says when the model's window becomes scarce in the open chat, and offers to summarise what came before.

import { announce } from "./announce.js";
import { $ } from "./dom.js";
import { share } from "./words.js";

/** Shares of the window: from where on it is said, and from where on a summary is near that nobody has asked for. */
const SCARCE = 0.6;
const NEAR_END = 0.72;

/**
 * What is said of a chat's window: nothing while there is room, or where nobody knows.
 * @param {Api.ContextShape | undefined} context
 */
export function gaugeOf(context) {
  const { tokens, limit } = context ?? { tokens: null, limit: null };
  if (!tokens || !limit || tokens < SCARCE * limit) return { words: "", isNearEnd: false };
  const used = `${share(Math.min(tokens, limit), limit)} of the model’s window is used`;
  const isNearEnd = tokens >= NEAR_END * limit;
  return { words: isNearEnd ? `${used}: earlier messages will soon be summarised` : used, isNearEnd };
}

export class Gauge {
  /** @param {() => void} summarise */
  constructor(summarise) {
    this.box = $("gauge");
    this.text = $("gauge-text");
    this.button = $("gauge-summarise");
    this.button.addEventListener("click", () => summarise());
    /** @type {string | undefined} */
    this.chat = undefined;
  }

  /**
   * @param {Api.SessionShape | undefined} session the open chat
   * @param {boolean} isBusy whether an answer is on its way
   */
  show(session, isBusy) {
    const { words, isNearEnd } = gaugeOf(session?.context);
    const isNews = session?.id === this.chat && isNearEnd && this.text.textContent !== words;
    this.chat = session?.id;
    this.text.textContent = words;
    this.box.hidden = !words;
    this.box.classList.toggle("near", isNearEnd);
    this.button.hidden = isBusy;
    if (isNews) announce(words);
  }
}
