/**
 * What a program in JavaScript does with OpenAI's official client: responses and conversations, against a real site.
 * Its result is printed as JSON. Called with the site's address, a token and a picture in base64.
 */
import OpenAI, { APIError, NotFoundError } from "openai";

const [baseURL, apiKey, picture] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const model = "Default";

const first = await client.responses.create({ model, input: "Q1", instructions: "Be brief.", metadata: { from: "node" } });
const events = [];
for await (const event of await client.responses.create({
  model,
  input: "Q2",
  instructions: "Be brief.",
  previous_response_id: first.id,
  stream: true,
})) {
  events.push(event);
}
const second = events.at(-1).response;
const helper = client.responses.stream({ model, input: "Q3", instructions: "Be brief.", previous_response_id: second.id });
const third = await helper.finalResponse();
const retrieved = await client.responses.retrieve(third.id);
const items = [];
for await (const item of client.responses.inputItems.list(third.id, { order: "asc", limit: 2 })) {
  items.push(item.content[0].text);
}
const begun = await client.responses.create({ model, input: "Q4", background: true });
const cancelled = await client.responses.cancel(begun.id);
await client.responses.delete(begun.id);
const missing = await client.responses.retrieve(begun.id).catch((error) => error);
const gone = await client.responses.create({ model, input: "Q5", store: false });
const conversation = await client.conversations.create({ metadata: { topic: "node" } });
await client.responses.create({ model, input: "Q6", conversation: conversation.id });
const listed = await client.conversations.items.list(conversation.id);
const tools = [
  { type: "function", name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
];
const asking = client.responses.stream({ model, input: "Q7", tools });
const asked = await asking.finalResponse();
const call = asked.output.find((item) => item.type === "function_call");
const output = { type: "function_call_output", call_id: call.call_id, output: `sunny in ${JSON.parse(call.arguments).city}` };
const told = await client.responses.create({ model, input: [output], tools, previous_response_id: asked.id });
const image = { type: "input_image", detail: "auto", image_url: `data:image/png;base64,${picture}` };
const looked = await client.responses.create({ model, input: [{ role: "user", content: [image] }] });
const pictured = await client.responses.inputItems.list(looked.id);
const chat = await client.chat.completions.create({
  model,
  messages: [
    { role: "user", content: [{ type: "image_url", image_url: { url: image.image_url } }] },
    { role: "assistant", content: looked.output_text },
    { role: "user", content: "Q9" },
  ],
});
const refused = await client.responses.create({ model: "nobody", input: "Q8" }).catch((error) => error);

console.log(
  JSON.stringify({
    answer: first.output_text,
    metadata: first.metadata,
    sequence: events.map((event) => event.sequence_number),
    streamed: second.output.flatMap((item) => item.content ?? []).map((part) => part.text),
    helped: third.output_text,
    retrieved: retrieved.output_text,
    items,
    begun: begun.status,
    cancelled: cancelled.status,
    missing: missing instanceof NotFoundError,
    gone: gone.output_text,
    topic: (await client.conversations.retrieve(conversation.id)).metadata.topic,
    listed: listed.data.length,
    told: told.output_text,
    looked: pictured.data[0].content.map((part) => part.type),
    chat: chat.choices[0].message.content,
    refused: refused instanceof APIError && [refused.status, refused.code],
  }),
);
