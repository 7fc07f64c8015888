// Says when the room for chats and text, or a budget, becomes scarce: what is used, and what to do.

import { announce } from "./announce.js";
import { $ } from "./dom.js";
import { Journal } from "./journal.js";
import { Socket } from "./socket.js";
import { dollars, momentOf, number } from "./words.js";

const SCARCE = 0.9;
/**
 * Facts that change what is used. They come in groups: one request for all that come within this time (ms).
 * @type {string[]}
 */
const CHANGES = ["session.created", "session.deleted", "message.created", "turn.ended"];
const PAUSE = 1_000;

export class QuotaLine {
  /**
   * @param {Socket} socket
   * @param {Journal} journal
   */
  constructor(socket, journal) {
    this.socket = socket;
    this.box = $("quota");
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.timer = null;
    const whenOpen = () => socket.state === "open" && this.ask();
    socket.on("state", whenOpen);
    whenOpen();
    journal.on("event", ({ event }) => event.type === "CUSTOM" && CHANGES.includes(event.name) && this.later());
  }

  later() {
    this.timer ??= setTimeout(() => this.ask(), PAUSE);
  }

  async ask() {
    clearTimeout(this.timer ?? undefined);
    this.timer = null;
    // Where that fails, the next change asks again.
    const usage = await this.socket.call("account.usage", {}).catch(() => null);
    if (usage) this.show(usage);
  }

  /** @param {Api.UsageResult} usage */
  show({ sessions, text, files, budgets }) {
    const kinds = [
      { used: sessions.count, quota: sessions.quota, what: "chats" },
      { used: text.characters, quota: text.quota, what: "characters of text" },
      { used: megabytes(files.bytes), quota: megabytes(files.quota), what: "MB of files" },
    ];
    const scarce = kinds.filter(({ used, quota }) => used >= SCARCE * quota);
    const words = [
      ...(scarce.length ? [sentence(scarce)] : []),
      ...budgets.filter(({ scarce }) => scarce).map(budgetWords),
    ].join(" ");
    if (this.box.textContent !== words && this.box.hidden) announce(words);
    this.box.textContent = words;
    this.box.hidden = !words;
  }
}

/** @param {Api.BudgetShape} budget */
export function budgetWords({ name, unit, spent, limit, resets_at }) {
  /** @param {number} amount */
  const written = (amount) => (unit === "usd" ? dollars(amount) : number(amount));
  const state = spent >= limit ? "is used up" : "is nearly used up";
  return `Your budget ${state} (${name}): ${written(spent)} of ${written(limit)}. It resets ${momentOf(resets_at)}.`;
}

/** @param {number} bytes */
const megabytes = (bytes) => Math.ceil(bytes / 1e6);

/** @param {{ used: number, quota: number, what: string }[]} scarce */
function sentence(scarce) {
  const used = scarce.map(({ used, quota, what }) => `${number(used)} of ${number(quota)} ${what}`).join(", ");
  const isFull = scarce.some(({ used, quota }) => used >= quota);
  return isFull
    ? `Your room is used up: ${used}. To go on, delete chats that you no longer need.`
    : `Your room is nearly used up: ${used}. Delete chats that you no longer need.`;
}
