// What asks a person about calls of tools: each in words and in full, to be approved or refused, one by one or all at once.

import { announce, toast } from "./announce.js";
import { argumentRows, inFull } from "./approval_words.js";
import { codeBlock, equipCode } from "./code.js";
import { Conversation } from "./conversation.js";
import { h, icon } from "./dom.js";
import { Refused } from "./socket.js";
import { CONFLICT, explain, isOvertaken, NOT_FOUND, toolWords } from "./words.js";

/** Characters of a note; the server takes no more. */
const MAX_NOTE = 2_000;
/** Characters of arguments above which the call in full is folded. */
const LONG = 400;
const DECIDED = "Decided in another window. You see the chat as it is now.";

/** @typedef {Api.DecisionParams} Decision */

/**
 * The question about all calls that wait at the end of a chat. What was chosen stays until they are other ones.
 * @param {Conversation} conversation
 * @param {Page.Actions} actions
 * @returns {Page.Item[]}
 */
export function approvalItems(conversation, actions) {
  const { approvals } = conversation;
  const version = approvals.map(({ id }) => id).join();
  return [{ key: "approvals", version, build: () => new Question(conversation, approvals, actions).element }];
}

class Question {
  /**
   * @param {Conversation} conversation
   * @param {Api.ApprovalShape[]} approvals
   * @param {Page.Actions} actions
   */
  constructor(conversation, approvals, actions) {
    this.conversation = conversation;
    this.approvals = approvals;
    this.actions = actions;
    this.isSending = false;
    /** @type {Map<string, Decision>} */
    this.chosen = new Map();
    this.element = h("section", { class: "ask", "aria-labelledby": "ask-title" });
    const [only] = approvals;
    if (approvals.length === 1 && only) this.askForOne(only);
    else this.askForMany();
  }

  /** @param {Api.ApprovalShape} approval */
  askForOne(approval) {
    const decide = (/** @type {Partial<Decision>} */ more) =>
      void this.send([{ approval_id: approval.id, approve: true, ...more }]);
    const once = button("Approve", "", () => decide({}));
    const always = button("Always in this chat", "quiet", () => decide({ always: true }));
    const refuse = button("Refuse …", "quiet", () => {
      buttons.hidden = true;
      note.hidden = false;
      note.querySelector("textarea")?.focus();
    });
    const buttons = h("footer", {}, once, always, refuse);
    const back = () => {
      note.hidden = true;
      buttons.hidden = false;
      refuse.focus();
    };
    const note = refusal((text) => decide({ approve: false, ...(text && { note: text }) }), back);
    this.element.append(
      head(`Wants to use ${toolWords(approval.tool)}`, "It is done only if you approve it."),
      ...callBody(approval),
      buttons,
      note,
    );
  }

  askForMany() {
    const { approvals } = this;
    const all = (/** @type {boolean} */ approve) =>
      void this.send(approvals.map(({ id }) => ({ approval_id: id, approve })));
    const send = button("Decide", "", () => void this.send([...this.chosen.values()]));
    send.disabled = true;
    const choose = (/** @type {Decision} */ decision) => {
      this.chosen.set(decision.approval_id, decision);
      send.disabled = this.chosen.size < approvals.length;
    };
    this.element.append(
      head(`Wants to use ${approvals.length} tools`, "Each is used only if you approve it."),
      ...approvals.map((approval) => callChoice(approval, choose)),
      h(
        "footer",
        {},
        send,
        button("Approve all", "quiet", () => all(true)),
        button("Refuse all", "quiet", () => all(false)),
      ),
    );
  }

  /**
   * Who decides a second time, or too late, sees how things stand.
   * @param {Decision[]} decisions
   */
  async send(decisions) {
    if (this.isSending) return;
    this.isSending = true;
    this.element.ariaBusy = "true";
    try {
      await this.conversation.resume(decisions);
      announce("Decided. The answer goes on.");
      this.actions.focus();
    } catch (error) {
      this.tell(error);
    }
    this.isSending = false;
    this.element.ariaBusy = "false";
  }

  /** @param {unknown} error */
  tell(error) {
    const isLate = error instanceof Refused && [CONFLICT, NOT_FOUND].includes(error.code);
    toast(isLate ? DECIDED : explain(error));
    if (isOvertaken(error)) this.conversation.follow();
    else if (isLate) void this.conversation.refresh();
  }
}

/**
 * @param {string} title
 * @param {string} about
 */
const head = (title, about) =>
  h("header", {}, icon("tool"), h("div", {}, h("h3", { id: "ask-title", text: title }), h("p", { text: about })));

/**
 * @param {string} text
 * @param {string} kind
 * @param {() => void} act
 */
const button = (text, kind, act) =>
  h("button", { class: `button small ${kind}`.trim(), type: "button", text, on: { click: act } });

/**
 * What would be called, and with what.
 * @param {Api.ApprovalShape} approval
 */
function callBody({ tool, arguments: args }) {
  const rows = argumentRows(args).flatMap(([name, value]) => [
    h("dt", {}, h("bdi", { text: name || "Arguments" })),
    h("dd", { dir: "auto", tabindex: "0", text: value }),
  ]);
  const code = codeBlock("JSON", inFull(args));
  equipCode(code.parentElement ?? h("div", {}, code), true);
  code.classList.add("wrapped");
  code.querySelector("[aria-pressed]")?.setAttribute("aria-pressed", "true");
  const full = h(
    "details",
    { class: "step", open: args.length <= LONG && rows.length === 0 },
    h("summary", {}, h("span", { text: "The call in full" }), icon("open")),
    h("p", { class: "ask-tool", text: tool }),
    code,
  );
  return rows.length ? [h("dl", { class: "facts" }, ...rows), full] : [full];
}

/**
 * One of several calls, with what may be said of it.
 * @param {Api.ApprovalShape} approval
 * @param {(decision: Decision) => void} choose
 */
function callChoice(approval, choose) {
  const { id, tool } = approval;
  const note = h("input", { type: "text", maxlength: String(MAX_NOTE), dir: "auto", "aria-label": NOTE });
  note.placeholder = NOTE;
  note.hidden = true;
  const refuse = () => choose({ approval_id: id, approve: false, ...(note.value.trim() && { note: note.value }) });
  note.addEventListener("input", refuse);
  /** @type {[words: string, act: () => void][]} */
  const ways = [
    ["Approve", () => choose({ approval_id: id, approve: true })],
    ["Always in this chat", () => choose({ approval_id: id, approve: true, always: true })],
    ["Refuse", refuse],
  ];
  const radios = ways.map(([words, act]) => {
    const input = h("input", { type: "radio", name: `ask-${id}` });
    input.addEventListener("change", () => {
      note.hidden = words !== "Refuse";
      act();
    });
    return h("label", {}, input, h("span", { text: words }));
  });
  const legend = h("legend", { class: "visually-hidden", text: `Decision on ${toolWords(tool)}` });
  return h(
    "div",
    { class: "ask-call" },
    h("h4", { text: toolWords(tool) }),
    ...callBody(approval),
    h("fieldset", {}, legend, h("div", { class: "segmented" }, ...radios), note),
  );
}

const NOTE = "What should be done instead? (optional)";

/**
 * @param {(note: string) => void} refuse
 * @param {() => void} back
 */
function refusal(refuse, back) {
  const box = h("textarea", { rows: "2", maxlength: String(MAX_NOTE), dir: "auto" });
  const form = h(
    "form",
    { class: "ask-refusal", hidden: true },
    h("label", {}, h("span", { text: NOTE }), box),
    h("button", { class: "button small", text: "Refuse" }),
    button("Back", "quiet", back),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    refuse(box.value.trim());
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    back();
  });
  return form;
}
