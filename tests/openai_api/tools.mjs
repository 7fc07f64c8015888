// A program with a tool of its own, by OpenAI's official JavaScript client: the same rounds in each of its
// ways. The environment names the site (BASE_URL) and the token (KEY). It says what it got in each, as JSON.

import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.KEY, maxRetries: 0 });
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ type: "function", function: { name: "weather", description: "The weather of a city.", parameters } }];
let messages = [];

const ways = {
  async create() {
    const completion = await client.chat.completions.create({ model: "Default", messages, tools });
    return completion.choices[0];
  },
  async stream() {
    const stream = client.chat.completions.stream({ model: "Default", messages, tools });
    return (await stream.finalChatCompletion()).choices[0];
  },
};

async function rounds(way) {
  for (;;) {
    const { message, finish_reason } = await way();
    messages.push(message);
    if (finish_reason !== "tool_calls") return;
    for (const { id, function: called } of message.tool_calls) {
      messages.push({ role: "tool", tool_call_id: id, content: `sunny in ${JSON.parse(called.arguments).city}` });
    }
  }
}

async function runTools() {
  const run = { function: ({ city }) => `sunny in ${city}`, parse: JSON.parse, name: "weather", parameters };
  const runner = client.chat.completions.runTools({
    model: "Default",
    messages,
    stream: true,
    tools: [{ type: "function", function: { ...run, description: "The weather of a city." } }],
  });
  await runner.finalContent();
  messages.splice(0, messages.length, ...runner.messages);
}

const told = {};
for (const [name, begin] of Object.entries({
  create: () => rounds(ways.create),
  stream: () => rounds(ways.stream),
  runTools,
})) {
  messages = [{ role: "user", content: `Bonn and Rome, by ${name}?` }];
  await begin();
  told[name] = messages;
}
console.log(JSON.stringify(told));
