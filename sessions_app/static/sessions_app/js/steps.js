// Reasoning and tools of an answer: one quiet line each, which opens to what was thought, or given and answered.

import { h, icon, within } from "./dom.js";
import { fileList } from "./files.js";
import { keep, kept } from "./kept.js";
import { share, toolWords } from "./words.js";

const BRIEF = 80;
/** Tools in a row from which on they join into one line. */
const MANY = 3;
/** Of an object's keys and strings in what a tool is given, and of a result that is said in the line itself. */
const SHORT_RESULT = 32;

/** @param {Page.Step[]} steps that follow each other */
export function stepList(steps) {
  const lines = steps.map((step) => (step.kind === "tool" ? toolStep(step) : thoughtStep(step)));
  const tools = steps.filter((step) => step.kind === "tool");
  const [first] = steps;
  if (tools.length < MANY || !first) return h("div", { class: "steps" }, ...lines);
  const isBusy = steps.some((step) => !step.done);
  const waiting = steps.filter((step) => step.left === "waits").length;
  const used = waiting ? `Waits for ${waiting} of ${tools.length} tools` : `Used ${tools.length} tools`;
  const words = isBusy ? `Using ${tools.length} tools …` : used;
  const body = h("div", { class: "step-body" }, h("div", { class: "steps" }, ...lines));
  const isSeen = waiting > 0 || steps.some((step) => kept(step.key).open);
  return h("div", { class: "steps" }, fold(`many:${first.key}`, "tool", words, "", body, isBusy, isSeen));
}

/** Of a call that a program was to answer, which has brought the tool. */
const LEFT = {
  waits: "It waits for the program that brought this tool.",
  unanswered: "Nothing: the program that brought this tool gave no result.",
};

/**
 * What a person has said of a call, or is still to say.
 * @param {Page.Step} step
 */
function saidOf({ approval, note, always }) {
  if (approval === "waiting") return "waits for you";
  if (approval === "approved") return always ? "approved by you, always in this chat" : "approved by you";
  return approval && (note ? `refused by you: “${note.slice(0, BRIEF)}”` : "refused by you");
}

/** What a result names that could be had if its user connected to a tool server, and the page where that is done. */
const CONNECTING = "/accounts/tool-servers/";

/** @param {Page.Step} step */
function toolStep(step) {
  const { key, name = "", text, result, done, left, approval, files } = step;
  const list = h("dl", { class: "io" });
  if (text) list.append(h("dt", { text: "Input" }), h("dd", { dir: "auto", tabindex: "0", text: pretty(text) }));
  const missing = approval === "waiting" ? "It waits for your decision." : "Nothing: it was cut off.";
  const output = result ?? (left ? LEFT[left] : done ? missing : "Still at work …");
  list.append(h("dt", { text: "Output" }), h("dd", { dir: "auto", tabindex: "0", text: output }));
  const words = toolWords(name);
  const body = h("div", { class: "step-body" }, list);
  const said = [done ? brief(text, result) : far(step.progress), saidOf(step)];
  const line = fold(key, "tool", headOf(step, words), said.filter(Boolean).join(" · "), body, !done, left === "waits");
  if (!done && step.progress?.total) within(line, "summary").append(bar(step.progress, words));
  const brought = fileList(files);
  const way = result?.includes(CONNECTING) ? connecting() : null;
  return brought || way ? h("div", { class: "step-with" }, line, brought, way) : line;
}

/**
 * @param {Page.Step} step
 * @param {string} words the tool's name
 */
function headOf({ done, left, approval, result }, words) {
  if (left) return `${left === "waits" ? "Waits for" : "Asked for"} ${words}`;
  if (!done) return `Using ${words} …`;
  if (approval === "waiting" && result === undefined) return `Wants to use ${words}`;
  return `${approval === "refused" ? "Did not use" : "Used"} ${words}`;
}

/** @param {Page.Progress | undefined} progress */
function far(progress) {
  if (!progress) return "";
  const { progress: done, total, message } = progress;
  return [total ? share(Math.min(done, total), total) : "", message?.slice(0, BRIEF)].filter(Boolean).join(" · ");
}

/**
 * @param {Page.Progress} progress
 * @param {string} words
 */
const bar = ({ progress, total }, words) =>
  h("progress", { max: String(total), value: String(progress), "aria-label": `Progress of ${words}` });

const connecting = () => h("a", { class: "step-way", href: `.${CONNECTING}`, text: "Connect …" });

/** @param {Page.Step} step */
function thoughtStep({ key, text, seconds, done }) {
  if (seconds !== undefined && kept(key).seconds === undefined) keep(key, { seconds });
  const took = kept(key).seconds;
  const words = !done ? "Thinking …" : took ? `Thought for ${took} s` : "Thought";
  const body = h("div", { class: "step-body" }, h("div", { class: "plain-text", dir: "auto", text }));
  return fold(key, "thought", words, "", body, !done);
}

/**
 * Stays as the reader left it, whatever takes its place.
 * @param {string} key
 * @param {string} drawing
 * @param {string} name
 * @param {string} summary
 * @param {HTMLElement} body
 * @param {boolean} isBusy
 * @param {boolean} [isSeen] whether it is open until the reader has said otherwise
 */
function fold(key, drawing, name, summary, body, isBusy, isSeen = false) {
  const head = h(
    "summary",
    {},
    icon(drawing),
    h("span", { class: "step-name", text: name }),
    h("span", { class: "step-brief", text: summary }),
    icon("open"),
  );
  const node = h("details", { class: isBusy ? "step busy" : "step", data: { step: key } }, head, body);
  node.open = kept(key).open ?? isSeen;
  // Before it opens or shuts: what is drawn in the same moment must know.
  head.addEventListener("click", () => keep(key, { open: !node.open }));
  return node;
}

/**
 * The line in which the keyboard is stays the one in which it is, where a change puts another element in its place.
 * @param {Element} box
 * @param {() => void} change
 */
export function keepingFocus(box, change) {
  const focused = document.activeElement?.closest("summary")?.parentElement?.dataset.step;
  change();
  const node = focused && document.activeElement === document.body && box.querySelector(`[data-step="${focused}"]`);
  if (node) within(node, "summary").focus({ preventScroll: true });
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
 * A short result says most; else the values that the tool was given: `12*(3+4)` says more than `{"expression": …}`.
 * @param {string} args
 * @param {string | undefined} result
 */
function brief(args, result) {
  if (result && result.length <= SHORT_RESULT && !/[\n{[]/.test(result)) return result;
  try {
    const values = Object.values(JSON.parse(args)).map((value) =>
      typeof value === "string" ? value : JSON.stringify(value),
    );
    return values.join(", ").slice(0, BRIEF);
  } catch {
    return args.slice(0, BRIEF);
  }
}
