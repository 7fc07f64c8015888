// What a program does with Vercel's AI SDK: a chat of several turns, against a real site. Called with the site's address and
// a token; it prints its result as JSON.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, isStepCount, jsonSchema, streamText, tool } from "ai";

const [baseURL = "", apiKey = ""] = process.argv.slice(2);
const site = createOpenAICompatible({ name: "hermes", baseURL, apiKey, includeUsage: true });
const model = site("Default");

/** @type {import("ai").ModelMessage[]} */
const messages = [{ role: "user", content: "Q1" }];
const first = await generateText({ model, instructions: "Be brief.", messages });
messages.push(...first.response.messages, { role: "user", content: "Q2" });
const stream = streamText({ model, instructions: "Be brief.", messages });
const pieces = [];
for await (const piece of stream.textStream) pieces.push(piece);
messages.push(...(await stream.response).messages, { role: "user", content: "Q3" });
const third = await generateText({ model, instructions: "Be brief.", messages });

const weather = tool({
  description: "The weather of a city.",
  inputSchema: /** @type {import("ai").Schema<{ city: string }>} */ (
    jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] })
  ),
  execute: async ({ city }) => `${city}: rain`,
});
const told = await generateText({ model, prompt: "Bonn?", tools: { weather }, stopWhen: isStepCount(3) });
const refused = await generateText({ model: site("nobody"), prompt: "Hello" }).catch((error) => error);

console.log(
  JSON.stringify({
    texts: [first.text, pieces.join(""), third.text],
    finish: [first.finishReason, await stream.finishReason],
    counted: [first.usage, await stream.usage].every(({ inputTokens, outputTokens }) => inputTokens && outputTokens),
    told: [told.steps.length, told.steps[0]?.toolResults[0]?.output, told.text],
    refused: APICallError.isInstance(refused) && [refused.statusCode, refused.isRetryable, refused.message],
  }),
);
