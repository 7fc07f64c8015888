// The dialog that shares a chat: makes links to it as it is now, shows those that there are, and revokes them.

import { copy } from "./clipboard.js";
import { h, iconButton, reconcile, within } from "./dom.js";
import { titleOf } from "./session_groups.js";
import { Socket } from "./socket.js";
import { explain, when } from "./words.js";

const ABOUT =
  "A link shows this chat as it is now: what you and the model have said, and your files. It does not show what comes later, other versions, instructions, memory, thoughts, or what tools were given and have answered.";
const DAY = 86_400_000;

/** @type {[days: string, words: string][]} */
const ENDS = [
  ["", "Never"],
  ["1", "In a day"],
  ["7", "In a week"],
  ["30", "In 30 days"],
];

/** @type {Record<Api.ShareShape["audience"], string>} */
const AUDIENCES = { users: "People who are signed in", everybody: "Everybody who has the link" };

/**
 * Opens it. Esc closes, focus goes back to where it was.
 * @param {Socket} socket
 * @param {Api.SessionShape} session
 */
export function openSharing(socket, session) {
  void new Sharing(socket, session).open();
}

class Sharing {
  /**
   * @param {Socket} socket
   * @param {Api.SessionShape} session
   */
  constructor(socket, session) {
    this.socket = socket;
    this.id = session.id;
    /** @type {Api.ShareShape[]} */
    this.shares = [];
    this.body = h("div", { "aria-busy": "true" }, h("p", { text: "Loading …" }));
    this.list = h("ul", { class: "links", "aria-label": "Links to this chat" });
    this.ends = h("select", { id: "share-ends" }, ...ENDS.map(([value, text]) => h("option", { value, text })));
    // Of the page's own live region nothing is heard while a dialog is open.
    this.status = h("p", { class: "status", role: "status" });
    const close = h("button", { class: "button quiet", text: "Close", autofocus: true });
    this.dialog = h(
      "dialog",
      { class: "dialog sharing", "aria-labelledby": "share-title", "aria-describedby": "share-about" },
      h("h2", { id: "share-title", dir: "auto", text: `Share “${titleOf(session)}”` }),
      h("p", { id: "share-about", text: ABOUT }),
      this.body,
      this.status,
      h("form", { method: "dialog", class: "actions" }, close),
    );
    this.dialog.addEventListener("close", () => this.dialog.remove());
  }

  async open() {
    document.body.append(this.dialog);
    this.dialog.showModal();
    await this.show();
  }

  async show() {
    try {
      const { shares, audiences } = await this.socket.call("share.list", { session_id: this.id });
      this.shares = shares;
      this.body.replaceChildren(this.form(audiences), h("h3", { text: "Links to this chat" }), this.list);
      this.draw();
    } catch (error) {
      const act = { click: () => void this.show() };
      const again = h("button", { class: "button small", type: "button", text: "Try again", on: act });
      this.body.replaceChildren(h("p", { role: "alert", text: explain(error) }), again);
    }
    this.body.setAttribute("aria-busy", "false");
  }

  /** @param {Api.ShareShape["audience"][]} audiences those that the site allows, the narrowest first */
  form(audiences) {
    const widest = audiences.at(-1);
    const choices = audiences.map((audience) => {
      const props = { type: "radio", name: "share-audience", value: audience, checked: audience === widest };
      return h("label", {}, h("input", props), h("span", { text: AUDIENCES[audience] }));
    });
    const button = h("button", { class: "button", text: "Make a link" });
    const form = h(
      "form",
      { class: "share-form" },
      h("fieldset", {}, h("legend", { text: "Who may open it" }), ...choices),
      h("label", { for: "share-ends", text: "It ends" }),
      this.ends,
      button,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const chosen = within(form, "input:checked", HTMLInputElement).value;
      const audience = audiences.find((each) => each === chosen);
      button.disabled = true;
      void this.make(audience).finally(() => {
        button.disabled = false;
      });
    });
    return form;
  }

  /** @param {Api.ShareShape["audience"] | undefined} audience */
  async make(audience) {
    const days = Number(this.ends.value);
    const end = days && { expires_at: new Date(Date.now() + days * DAY).toISOString() };
    try {
      const params = { session_id: this.id, ...(audience && { audience }), ...(end || {}) };
      const { share } = await this.socket.call("share.create", params);
      this.shares = [...this.shares, share];
      this.draw();
      /** @type {HTMLElement | null} */
      const button = this.list.querySelector(`[data-key="${share.id}"] button`);
      button?.focus();
      this.status.textContent = "The link is made. Copy it, and give it to whom it is for.";
    } catch (error) {
      this.status.textContent = explain(error);
    }
  }

  draw() {
    const items = this.shares.map((share) => ({ key: share.id, version: "", build: () => this.row(share) }));
    const empty = { key: "empty", version: "", build: () => h("li", { class: "empty", text: "There are none." }) };
    reconcile(this.list, items.length ? items : [empty]);
  }

  /** @param {Api.ShareShape} share */
  row(share) {
    const { url, audience, created_at, expires_at } = share;
    const made = `made ${when(created_at).short}`;
    const over = expires_at !== null && Date.parse(expires_at) <= Date.now();
    const end = expires_at === null ? "" : ` · ${over ? "ended" : "ends"} ${when(expires_at).short}`;
    const facts = h("small", { text: `${AUDIENCES[audience]} · ${made}${end}` });
    const remove = iconButton("close", `Revoke the link ${made}`, () => void this.revoke(share));
    if (url === null) {
      const lost = h("span", { text: "Its address cannot be shown again: the site has a new secret key." });
      return h("li", {}, h("div", { class: "link" }, lost, facts), remove);
    }
    const props = { readonly: true, dir: "ltr", value: new URL(url, location.href).href };
    const field = h("input", { ...props, "aria-label": `The link ${made}` });
    field.addEventListener("focus", () => field.select());
    const taking = iconButton("copy", `Copy the link ${made}`, () => void this.copy(field));
    return h("li", {}, h("div", { class: "link" }, field, facts), taking, remove);
  }

  /** @param {HTMLInputElement} field */
  async copy(field) {
    try {
      await copy(field.value, this.dialog);
      this.status.textContent = "Copied.";
    } catch {
      field.focus();
      this.status.textContent = "The browser does not allow copying. The link is marked: copy it with the keyboard.";
    }
  }

  /** @param {Api.ShareShape} share */
  async revoke(share) {
    try {
      await this.socket.call("share.revoke", { share_id: share.id });
      this.status.textContent = "Revoked. The link shows nothing any more.";
    } catch (error) {
      this.status.textContent = explain(error);
      await this.show();
      return;
    }
    this.shares = this.shares.filter(({ id }) => id !== share.id);
    this.draw();
    within(this.dialog, ".share-form .button").focus();
  }
}
