// What a program does with OpenAI's official client for JavaScript: chat completions, against a real site. Called with the
// site's address, a token and what to do; it prints its result as JSON, as the last line.

import OpenAI from "openai";

const [baseURL = "", apiKey = "", name = ""] = process.argv.slice(2);
const model = "Default";
/** @type {{ status: number, at: number }[]} */
const attempts = [];

/**
 * @param {string | URL | Request} address
 * @param {RequestInit} [options]
 */
async function noting(address, options) {
  const answer = await fetch(address, options);
  attempts.push({ status: answer.status, at: performance.now() });
  if (answer.status === 429) console.log("refused, retry after", answer.headers.get("retry-after"));
  return answer;
}

const client = new OpenAI({ baseURL, apiKey, maxRetries: 1, fetch: noting });

/** @param {Promise<unknown>} request */
const refusal = (request) =>
  request.then(
    () => null,
    (error) => [error.constructor.name, error.status, error.code, error.param],
  );

/** @type {Record<string, () => Promise<unknown>>} */
const programs = {
  async completions() {
    const models = [];
    for await (const { id } of client.models.list()) models.push(id);
    /** @type {OpenAI.ChatCompletionMessageParam[]} */
    const messages = [{ role: "user", content: "Q1" }];
    const { choices, usage } = await client.chat.completions.create({ model, messages });
    messages.push({ role: "assistant", content: choices[0]?.message.content ?? "" }, { role: "user", content: "Q2" });
    const options = { model, messages, stream: /** @type {const} */ (true), stream_options: { include_usage: true } };
    const chunks = [];
    for await (const chunk of await client.chat.completions.create(options)) chunks.push(chunk);
    messages.push({ role: "assistant", content: "A2" }, { role: "user", content: "Q3" });
    const helped = await client.chat.completions.stream({ model, messages }).finalContent();
    return {
      listed: models.includes(model),
      answer: choices[0]?.message.content,
      counted: [usage, chunks.at(-1)?.usage].every((each) => (each?.prompt_tokens ?? 0) > 0),
      streamed: chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""),
      finish: chunks.map((chunk) => chunk.choices[0]?.finish_reason).findLast((each) => each),
      helped,
    };
  },

  async errors() {
    const messages = [{ role: /** @type {const} */ ("user"), content: "Hello" }];
    const nobody = new OpenAI({ baseURL, apiKey: "wrong", maxRetries: 0 });
    return {
      unknown: await refusal(client.chat.completions.create({ model: "nobody", messages })),
      wrong: await refusal(client.chat.completions.create({ model, messages, n: 2 })),
      denied: await refusal(nobody.models.list().asResponse()),
      failed: await refusal(client.chat.completions.create({ model, messages })),
      attempts: attempts.map(({ status }) => status),
    };
  },

  async waiting() {
    const { data } = await client.models.list();
    const [first, second] = attempts;
    return {
      models: data.length > 0,
      statuses: attempts.map(({ status }) => status),
      waited: (second?.at ?? 0) - (first?.at ?? 0),
    };
  },

  async leaving() {
    const stream = await client.chat.completions.create({
      model,
      messages: [{ role: "user", content: "Bye" }],
      stream: true,
    });
    for await (const chunk of stream) {
      if (!chunk.choices[0]?.delta.content) continue;
      stream.controller.abort();
      return chunk.choices[0].delta.content;
    }
    return null;
  },
};

console.log(JSON.stringify(await programs[name]?.()));
