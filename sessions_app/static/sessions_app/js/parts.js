// What the conversation is made of as it is shown: what users say, and answers; in an answer texts, and between them steps
// (reasoning and tools). Plain functions of messages, no page.

/**
 * Whether a message is what a user has said.
 * @param {Page.Message} message
 */
export const isAsked = ({ role, kind }) => role === "user" && !kind;

/**
 * Whether a message ended its turn with calls that wait: for a program, which has brought their tools, or for a person's
 * word.
 * @param {Page.Message} message
 */
export const isLeftWaiting = ({ tool_calls: calls }) =>
  Boolean(calls?.some(({ waits, approval }) => waits || approval === "waiting"));

/**
 * Whether somebody waits for what comes after these messages; else a run at their end makes a summary.
 * @param {Page.Message[]} messages
 */
export function isAwaited(messages) {
  const last = messages.findLast(({ kind }) => !kind);
  return last?.role !== "assistant" || (Boolean(last.tool_calls) && !isLeftWaiting(last));
}

/**
 * Each message of a user by itself, each that nobody has said, and each answer: all messages between two of a user's.
 * What nobody has said amid an answer stands before it: it keeps its place there when the answer is stored.
 * @param {Page.Message[]} messages
 */
export function groupsOf(messages) {
  /** @type {Page.Message[][]} */
  const groups = [];
  for (const message of messages) {
    const at = groups.findLastIndex(([first]) => !first?.kind);
    const said = groups[at];
    if (message.role === "user" || !said || said[0]?.role === "user") groups.push([message]);
    else groups.push(...groups.splice(at, 1).map((answer) => [...answer, message]));
  }
  return groups;
}

/**
 * The parts of stored messages of one answer. What waits at the end of the chat waits; elsewhere nothing does any more.
 * @param {Page.Message[]} messages
 * @param {boolean} [isEnd]
 * @returns {Page.Part[]}
 */
export function partsOf(messages, isEnd = false) {
  const results = new Map(messages.map((message) => [message.tool_call_id, message]));
  const called = new Set(messages.flatMap((message) => (message.tool_calls ?? []).map((call) => call.id)));
  return messages.flatMap(({ id, role, text, reasoning, tool_calls: calls, tool_call_id: callId, files }) => {
    if (role === "tool")
      return called.has(callId ?? "")
        ? []
        : [stored("tool", id, "", { name: "tool", result: text, ...brought(files) })];
    return [
      ...(reasoning ? [stored("reasoning", id, reasoning)] : []),
      ...(text ? [stored("text", id, text)] : []),
      ...(calls ?? []).map((call) => {
        const { text: result, files } = results.get(call.id) ?? {};
        const left = call.waits && isEnd ? "waits" : "unanswered";
        const isShown = call.approval && (isEnd || call.approval !== "waiting");
        return stored("tool", call.id, call.arguments, {
          name: call.name,
          ...(isShown && { approval: call.approval, note: call.note, always: call.always }),
          ...(result !== undefined ? { result, ...brought(files) } : call.client && { left }),
        });
      }),
    ];
  });
}

/** @param {Api.FileShape[] | null | undefined} files of a result */
const brought = (files) => (files?.length ? { files } : {});

/**
 * The parts of steps that are stored, of an answer that goes on: a call without a result is being made.
 * @param {Page.Message[]} messages
 */
const begunParts = (messages) =>
  partsOf(messages).map((part) => {
    const isMade = part.kind !== "tool" || part.result !== undefined || part.left !== undefined;
    return isMade ? part : { ...part, done: false };
  });

/**
 * All parts of a running answer. Its stored steps come first, but for those that this page has seen being made: the
 * run has these itself. One that was opened amid a step has not. A call whose beginning it has not seen is shown once
 * it is stored, with its name and all that the tool was given.
 * @param {Page.Message[]} stored
 * @param {Page.Part[]} seen
 * @param {Map<string, Page.Progress>} [progress] how far calls are that are being made
 */
export function runningParts(stored, seen, progress = new Map()) {
  const ids = new Set(seen.map((part) => part.id));
  const unseen = stored.filter(
    ({ id, tool_calls: calls, tool_call_id: callId }) =>
      ![id, callId ?? "", ...(calls ?? []).map((call) => call.id)].some((known) => ids.has(known)),
  );
  const calls = new Map(stored.flatMap((message) => (message.tool_calls ?? []).map((call) => [call.id, call])));
  const files = new Map(stored.map((message) => [message.tool_call_id, message.files]));
  const whole = seen.flatMap((part) => {
    if (part.kind !== "tool") return part;
    const call = calls.get(part.id);
    if (!part.name && !call) return [];
    const whole = part.name ? part : { ...part, name: call?.name, text: call?.arguments ?? "" };
    return { ...whole, ...brought(files.get(part.id)) };
  });
  return [...begunParts(unseen), ...whole].map((part) =>
    part.done || !progress.has(part.id) ? part : { ...part, progress: progress.get(part.id) },
  );
}

/**
 * @param {Page.Part["kind"]} kind
 * @param {string} id
 * @param {string} text
 * @param {Pick<Page.Part, "name" | "result" | "left" | "approval" | "note" | "always" | "files">} [more]
 * @returns {Page.Part}
 */
const stored = (kind, id, text, more) => ({ kind, id, text, length: text.length, done: true, ...more });

/**
 * Steps that follow each other make one block. Their keys are the same while they are written and when they are stored:
 * that of a tool is its call; reasoning, which has another id then, is counted from the message that is answered.
 * @param {Page.Part[]} parts
 * @param {string} asked the id of that message
 * @returns {Page.Block[]}
 */
export function blocksOf(parts, asked) {
  /** @type {Page.Block[]} */
  const blocks = [];
  let thoughts = 0;
  for (const part of parts) {
    if (part.kind === "text") {
      if (part.text) blocks.push({ key: `text:${part.id}`, text: part });
      continue;
    }
    if (part.kind === "reasoning") thoughts += 1;
    const step = { ...part, key: part.kind === "tool" ? part.id : `${asked}:${thoughts}` };
    const last = blocks.at(-1);
    if (last?.steps) last.steps.push(step);
    else blocks.push({ key: `steps:${step.key}`, steps: [step] });
  }
  return blocks;
}
