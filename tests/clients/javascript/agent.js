// A program with the client's agent for AG-UI, used as CopilotKit and assistant-ui use one: `node agent.js PACKAGE`, where
// the package is the release of @ag-ui/client that the page has.

import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { connect } from "../../../clients/js/src/index.js";

const AG_UI = "@ag-ui/client";

registerHooks({
  resolve: (name, context, next) => next(name === AG_UI ? (process.argv[2] ?? AG_UI) : name, context),
});
const { HermesAgent } = await import("../../../clients/js/src/agent.js");
const { HERMES_URL: url = "", HERMES_TOKEN: token = "" } = process.env;

const client = await connect(url, { token });
const agent = new HermesAgent({ client, threadId: "a thread of the page's own" });
const said = () => agent.messages.map(({ role, content }) => [role, content]);
/** @param {string} content */
const ask = (content) => ({ id: crypto.randomUUID(), role: /** @type {const} */ ("user"), content });

agent.addMessage({ id: "no-uuid", role: "user", content: "What is 6*7?" });
await agent.runAgent();
assert.deepEqual(
  said().map(([role]) => role),
  ["user", "reasoning", "assistant", "tool", "assistant"],
);
assert.equal(said().at(-1)?.[1], "It is 42.");

agent.setMessages(agent.messages.slice(0, 1));
await agent.runAgent();
assert.deepEqual(said(), [
  ["user", "What is 6*7?"],
  ["assistant", "again"],
]);

agent.setMessages([ask("Changed")]);
await agent.runAgent();
assert.deepEqual(said(), [
  ["user", "Changed"],
  ["assistant", "edited"],
]);

const copy = agent.clone();
copy.addMessage(ask("More"));
await copy.runAgent();
assert.equal(copy.messages.at(-1)?.content, "more");

agent.setMessages([...copy.messages, ask("Count")]);
await agent.runAgent({}, { onTextMessageContentEvent: () => agent.abortRun() });
assert.equal(said().at(-1)?.[1], "one ");

// Stopped before it has begun.
const run = agent.run.bind(agent);
agent.run = (input) => {
  queueMicrotask(() => agent.abortRun());
  return run(input);
};
agent.addMessage(ask("Never"));
await agent.runAgent();
assert.equal(said().at(-1)?.[1], "Never");
agent.run = run;

agent.addMessage(ask("Fail"));
/** @type {string[]} */
const codes = [];
await agent.runAgent({}, { onRunErrorEvent: ({ event }) => void codes.push(event.code ?? "") });
assert.deepEqual(codes, ["provider"]);

const sessions = [];
for await (const session of client.sessions()) sessions.push(session.id);
assert.equal(sessions.length, 1);
const again = new HermesAgent({ client, threadId: sessions[0] ?? "" });
again.addMessage(ask("By the session's id"));
await again.runAgent();
assert.equal(again.messages.length, 2);
client.close();
