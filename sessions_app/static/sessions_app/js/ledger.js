// The dialog that tells what a chat has cost, and lets it follow its profile as it is now.

import { h } from "./dom.js";
import { Socket } from "./socket.js";
import { answerWords, factList, moneyRows, read } from "./usage.js";
import { counted, explain, number, share } from "./words.js";

/**
 * Opens it. Esc closes, focus goes back to where it was.
 * @param {Socket} socket
 * @param {Api.SessionShape} session
 */
export function openLedger(socket, session) {
  new Ledger(socket, session.id).open();
}

class Ledger {
  /**
   * @param {Socket} socket
   * @param {string} id
   */
  constructor(socket, id) {
    this.socket = socket;
    this.id = id;
    this.body = h("div", { "aria-busy": "true" }, h("p", { text: "Loading …" }));
    // Of the page's own live region nothing is heard while a dialog is open.
    this.status = h("p", { class: "status", role: "status" });
    this.close = h("button", { class: "button quiet", text: "Close", autofocus: true });
    const title = h("h2", { id: "ledger-title", text: "Usage of this chat" });
    const form = h("form", { method: "dialog", class: "actions" }, this.close);
    this.dialog = h(
      "dialog",
      { class: "dialog ledger", "aria-labelledby": "ledger-title" },
      title,
      this.body,
      this.status,
      form,
    );
    this.dialog.addEventListener("close", () => this.dialog.remove());
  }

  open() {
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.show();
  }

  async show() {
    try {
      const ledger = await this.socket.call("session.ledger", { session_id: this.id });
      this.body.replaceChildren(totals(ledger), ...this.instructions(ledger.profile));
    } catch (error) {
      const again = h("button", {
        class: "button small",
        type: "button",
        text: "Try again",
        on: { click: () => this.show() },
      });
      this.body.replaceChildren(h("p", { role: "alert", text: explain(error) }), again);
    }
    this.body.setAttribute("aria-busy", "false");
  }

  /** @param {Api.ProfileShape | null} profile */
  instructions(profile) {
    if (!profile) return [];
    const { name, current } = profile;
    const heading = h("h3", { text: "Instructions" });
    if (current) return [heading, h("p", { text: `This chat follows the profile “${name}” as it is now.` })];
    const cost = h("p", {
      id: "ledger-cost",
      text: "Applied, it holds from the next answer on, and the model reads this chat anew once.",
    });
    const button = h("button", {
      class: "button small",
      type: "button",
      text: "Apply now",
      "aria-describedby": "ledger-cost",
      on: { click: () => this.apply() },
    });
    return [
      heading,
      h("p", { text: `This chat keeps the instructions it began with; “${name}” was changed since.` }),
      cost,
      button,
    ];
  }

  async apply() {
    try {
      await this.socket.call("session.apply_profile", { session_id: this.id });
      this.close.focus();
      await this.show();
      this.status.textContent = "Applied. The next answer follows it.";
    } catch (error) {
      this.status.textContent = explain(error);
    }
  }
}

/** @param {Api.LedgerResult} ledger */
function totals(ledger) {
  if (!ledger.turns)
    return h("p", { text: "Nothing was counted here yet: either no model has answered, or it counts no tokens." });
  const prompts = `${number(read(ledger))} tokens${ledger.cached_tokens ? `, ${share(ledger.cached_tokens, read(ledger))} from cache` : ""}`;
  return factList([
    ["Turns", number(ledger.turns)],
    ["Prompts", prompts],
    ["Answers", answerWords(ledger)],
    ...moneyRows(ledger),
    [
      "No price",
      ledger.cost !== null && ledger.unpriced_turns > 0 && `for ${counted(ledger.unpriced_turns, "turn", "turns")}`,
    ],
    ["Cache misses", misses(ledger)],
  ]);
}

/**
 * The first turn of a chat has nothing to find, so nothing was missed there.
 * @param {Api.LedgerResult} ledger
 */
function misses(ledger) {
  const shown = ledger.misses.filter((miss) => miss.cause !== "first");
  return shown.map((miss) => `${miss.reason}: ${counted(miss.turns, "turn", "turns")}`).join("; ") || "none";
}
