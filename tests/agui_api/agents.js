// AG-UI's official clients, unmodified, driven by a test: a command a line on standard input, what they tell a line on
// standard output.
import { createInterface } from "node:readline";
import { HttpAgent } from "@ag-ui/client";
import { HttpAgent as HttpAgentBefore } from "ag-ui-client-0.0.59";

/** @typedef {{ agent: string, do: string, [name: string]: any }} Command */

/** @type {Map<string, any>} */
const agents = new Map();

/** @param {object} told */
function tell(told) {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

/** @param {Command} command */
function make({ agent, version, url, ...config }) {
  const Agent = version === "0.0.59" ? HttpAgentBefore : HttpAgent;
  agents.set(agent, new Agent({ url, ...config }));
}

/** Tell every event that the client's own checks have let through, then how the run ended for it.
 * @param {Command} command
 */
async function run({ agent, parameters }) {
  const client = agents.get(agent);
  const onEvent = (/** @type {any} */ { event }) => tell({ agent, event });
  try {
    const { newMessages } = await client.runAgent(parameters, { onEvent });
    tell({ agent, ended: true, newMessages, messages: client.messages, threadId: client.threadId });
  } catch (error) {
    const { message, status, payload } = /** @type {any} */ (error);
    tell({ agent, failed: message, status, payload });
  }
}

// The clients throw once more, to nobody, when a server is gone.
process.on("unhandledRejection", () => {});

for await (const line of createInterface({ input: process.stdin })) {
  /** @type {Command} */
  const command = JSON.parse(line);
  if (command.do === "make") {
    make(command);
  } else if (command.do === "run") {
    run(command);
  } else if (command.do === "forget") {
    agents.get(command.agent).abortRun();
    agents.delete(command.agent);
  } else {
    agents.get(command.agent)[command.do](...(command.given ?? []));
  }
}
process.exit(); // whatever still runs: the test has closed the input
