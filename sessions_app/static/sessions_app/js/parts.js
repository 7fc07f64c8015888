// What the conversation is made of as it is shown: what users say, and answers; in an answer texts, and between them steps
// (reasoning and tools). Plain functions of messages, no page.

/**
 * Whether a message is what a user has said.
 * @param {Page.Message} message
 */
export const isAsked = ({ role, kind }) => role === "user" && !kind;

/**
 * Whether a message ended its turn with calls that wait for a program, which has brought their tools.
 * @param {Page.Message} message
 */
export const isLeftToProgram = ({ tool_calls: calls }) => Boolean(calls?.some(({ waits }) => waits));

/**
 * Whether somebody waits for what comes after these messages; else a run at their end makes a summary.
 * @param {Page.Message[]} messages
 */
export function isAwaited(messages) {
  const last = messages.findLast(({ kind }) => !kind);
  return last?.role !== "assistant" || (Boolean(last.tool_calls) && !isLeftToProgram(last));
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
  const results = new Map(messages.map((message) => [message.tool_call_id, message.text]));
  const called = new Set(messages.flatMap((message) => (message.tool_calls ?? []).map((call) => call.id)));
  return messages.flatMap(({ id, role, text, reasoning, tool_calls: calls, tool_call_id: callId }) => {
    if (role === "tool")
      return called.has(callId ?? "") ? [] : [stored("tool", id, "", { name: "tool", result: text })];
    return [
      ...(reasoning ? [stored("reasoning", id, reasoning)] : []),
      ...(text ? [stored("text", id, text)] : []),
      ...(calls ?? []).map((call) => {
        const result = results.get(call.id);
        const left = call.waits && isEnd ? "waits" : "unanswered";
        return stored("tool", call.id, call.arguments, {
          name: call.name,
          ...(result !== undefined ? { result } : call.client && { left }),
        });
      }),
    ];
  });
}

/**
 * All parts of a running answer. Its stored steps come first, but for those that this page has seen being made: the
 * run has these itself. One that was opened amid a step has not. A call whose beginning it has not seen is shown once
 * it is stored, with its name and all that the tool was given.
 * @param {Page.Message[]} stored
 * @param {Page.Part[]} seen
 */
export function runningParts(stored, seen) {
  const ids = new Set(seen.map((part) => part.id));
  const unseen = stored.filter(
    ({ id, tool_calls: calls, tool_call_id: callId }) =>
      ![id, callId ?? "", ...(calls ?? []).map((call) => call.id)].some((known) => ids.has(known)),
  );
  const calls = new Map(stored.flatMap((message) => (message.tool_calls ?? []).map((call) => [call.id, call])));
  const whole = seen.flatMap((part) => {
    if (part.kind !== "tool" || part.name) return part;
    const call = calls.get(part.id);
    return call ? { ...part, name: call.name, text: call.arguments } : [];
  });
  return [...partsOf(unseen), ...whole];
}

/**
 * @param {Page.Part["kind"]} kind
 * @param {string} id
 * @param {string} text
 * @param {Pick<Page.Part, "name" | "result" | "left">} [more]
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
