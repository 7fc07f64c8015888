// How one message looks: a user's, an assistant's with the tools it called, one on its way, and folds.

import { modelName } from "./actions.js";
import { copyFrom } from "./clipboard.js";
import { h, icon, iconButton, within } from "./dom.js";
import { Markdown } from "./markdown.js";
import { usage } from "./usage.js";
import { duration, when } from "./words.js";

const CLIP_LENGTH = 2_000;
const CLIP_LINES = 24;
const BRIEF = 120;

/** @type {Record<string, [label: string, kind: string]>} */
const TAGS = {
  stopped: ["Stopped", ""],
  interrupted: ["Interrupted", "bad"],
  failed: ["Broke off", "bad"],
};

/**
 * @param {Page.Message["role"]} role
 * @param {string} speaker
 * @param {HTMLElement[]} children
 */
function article(role, speaker, ...children) {
  return h(
    "article",
    { class: `message ${role}`, tabindex: "-1" },
    h("h2", { class: "visually-hidden", text: speaker }),
    ...children,
  );
}

/**
 * A user's own words: always plain text. Very long ones can be opened.
 * @param {string} text
 */
function bubble(text) {
  const box = h("div", { class: "bubble", dir: "auto", text });
  if (text.length <= CLIP_LENGTH && text.split("\n", CLIP_LINES + 1).length <= CLIP_LINES) return [box];
  box.classList.add("clipped");
  const button = h("button", { class: "link-button", type: "button", "aria-expanded": "false", text: "Show all" });
  button.addEventListener("click", () => {
    const clipped = box.classList.toggle("clipped");
    button.setAttribute("aria-expanded", String(!clipped));
    button.textContent = clipped ? "Show all" : "Show less";
  });
  return [box, button];
}

/**
 * @param {Page.Message} message
 * @param {(HTMLElement | null)[]} buttons
 * @param {(HTMLElement | null | undefined)[]} more
 */
function foot(message, buttons, ...more) {
  const time = when(message.created_at);
  const copy = message.text ? copyButton(message.text) : null;
  return h(
    "footer",
    { class: "message-foot" },
    copy,
    ...buttons,
    h("time", { datetime: message.created_at, title: time.long, text: time.short }),
    ...more,
  );
}

/** @param {string} text */
function copyButton(text) {
  const button = iconButton("copy", "Copy message", () => void copyFrom(button, text));
  return button;
}

/**
 * @param {Page.Message} message
 * @param {HTMLElement} edit
 * @param {HTMLElement | null} versions
 */
export function userMessage(message, edit, versions) {
  return article("user", "You said", ...bubble(message.text), foot(message, [edit], versions));
}

/**
 * @param {Page.Message} message
 * @param {Markdown} markdown
 * @param {Map<string, Page.Message>} results tool call id → the tool's message
 * @param {(HTMLElement | null)[]} buttons none where it is not the last of its answer
 * @param {HTMLElement} [body] for the text; it may hold already what was rendered of it
 */
export function assistantMessage(
  message,
  markdown,
  results,
  buttons,
  body = h("div", { class: "prose", dir: "auto" }),
) {
  const folds = message.reasoning ? [thoughtFold(message.reasoning, true)] : [];
  const calls = (message.tool_calls ?? []).map((call) =>
    toolFold(call.name, call.arguments, results.get(call.id)?.text, true),
  );
  const node = article("assistant", "Hermes said", ...folds, ...calls);
  if (!message.text && calls.length && !buttons.length) {
    node.classList.add("calls");
    return node;
  }
  if (message.text) {
    markdown.fill(body, message.text);
    node.insertBefore(body, calls[0] ?? null);
  }
  const [label, kind] = TAGS[message.status] ?? [];
  const [line, facts] = message.ledger ? usage(message.ledger) : [];
  const tag = label ? h("span", { class: `tag ${kind}`, text: label }) : null;
  node.append(foot(message, buttons, tag, modelName(message.model), line));
  if (facts) node.append(facts);
  return node;
}

/**
 * A tool's result whose call is on a page not loaded yet.
 * @param {Page.Message} message
 */
export function toolMessage(message) {
  const node = article("assistant", "A tool answered", toolFold("Tool", "", message.text, true));
  node.classList.add("calls");
  return node;
}

/**
 * One line for a tool call; opened, what it was given and what it answered.
 * @param {string} name
 * @param {string} args
 * @param {string | undefined} result
 * @param {boolean} over
 */
export function toolFold(name, args, result, over) {
  const body = h("div", { class: "fold-body" });
  if (args) body.append(h("h3", { text: "Given" }), h("pre", { dir: "auto", text: pretty(args) }));
  body.append(
    h("h3", { text: "Answered" }),
    h("pre", { dir: "auto", text: result ?? (over ? "Nothing: it was cut off." : "Still at work …") }),
  );
  return fold("tool", name, brief(args), body, result === undefined && !over);
}

/**
 * @param {string} text
 * @param {boolean} over
 */
export function thoughtFold(text, over) {
  const body = h("div", { class: "fold-body" }, h("div", { class: "plain-text", dir: "auto", text }));
  return fold("thought", over ? "Reasoning" : "Thinking …", "", body, !over);
}

/**
 * @param {string} drawing
 * @param {string} name
 * @param {string} summary
 * @param {HTMLElement} body
 * @param {boolean} busy
 */
function fold(drawing, name, summary, body, busy) {
  const head = h(
    "summary",
    {},
    icon(drawing),
    h("span", { class: "fold-name", text: name }),
    h("span", { class: "fold-brief", text: summary }),
    icon("open"),
  );
  return h("details", { class: busy ? "fold busy" : "fold" }, head, body);
}

/** @param {string} args */
function pretty(args) {
  try {
    return JSON.stringify(JSON.parse(args), null, 2);
  } catch {
    return args;
  }
}

/**
 * The values alone, where the arguments are an object: `12*(3+4)` says more than `{"expression": …}`.
 * @param {string} args
 */
function brief(args) {
  try {
    const values = Object.values(JSON.parse(args)).map((value) =>
      typeof value === "string" ? value : JSON.stringify(value),
    );
    return values.join(", ").slice(0, BRIEF);
  } catch {
    return args.slice(0, BRIEF);
  }
}

/**
 * A message on its way.
 * @typedef {{ edit(entry: Page.Entry): void, retry(entry: Page.Entry): void }} Actions
 * @param {Page.Entry} entry
 * @param {string} words how it stands
 * @param {Actions} actions
 */
export function pendingMessage(entry, words, actions) {
  const node = article("user", "You said", ...bubble(entry.text));
  node.classList.add("pending");
  if (entry.state === "refused")
    node.append(
      note("bad", entry.problem ?? "", ["Try again", () => actions.retry(entry)], ["Edit", () => actions.edit(entry)]),
    );
  else if (entry.state === "limited") node.append(limitNote(entry, actions));
  else node.append(h("footer", { class: "message-foot" }, h("span", { text: words })));
  return node;
}

/**
 * Counts the seconds down until the outbox sends it again by itself.
 * @param {Page.Entry} entry
 * @param {Actions} actions
 */
function limitNote(entry, actions) {
  const box = note("wait", "", ["Edit instead", () => actions.edit(entry)]);
  const words = within(box, "p");
  const tick = () => {
    const seconds = Math.max(1, Math.ceil(((entry.until ?? 0) - Date.now()) / 1000));
    words.textContent = `Too many messages in a short time. It sends itself in ${duration(seconds)}.`;
    if (box.isConnected && entry.state === "limited") setTimeout(tick, 500);
  };
  queueMicrotask(tick);
  return box;
}

/**
 * A box with a sentence and buttons.
 * @param {"bad" | "wait" | ""} kind
 * @param {string} text
 * @param {Page.Choice[]} buttons
 */
export function note(kind, text, ...buttons) {
  return h(
    "div",
    { class: `note ${kind}` },
    h("p", { dir: "auto", text }),
    ...buttons.map(([label, act]) =>
      h("button", { class: "button quiet small", type: "button", text: label, on: { click: act } }),
    ),
  );
}
