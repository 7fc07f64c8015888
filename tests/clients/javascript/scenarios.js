// A program with the JavaScript client, for test_javascript.py: `node scenarios.js NAME` with HERMES_URL and
// HERMES_TOKEN. It says "open" where the provider is to go on.

import assert from "node:assert/strict";
import {
  connect,
  Denied,
  Disconnected,
  NotFound,
  Refused,
  RunFailed,
  TooLarge,
} from "../../../clients/js/src/index.js";

const { HERMES_URL: url = "", HERMES_TOKEN: token = "" } = process.env;

/** @param {AsyncIterable<string>} texts */
async function joined(texts) {
  let all = "";
  for await (const text of texts) all += text;
  return all;
}

/** @param {AsyncIterator<string>} texts */
const next = async (texts) => (await texts.next()).value;

/** @type {Record<string, () => Promise<void>>} */
const scenarios = {
  async conversation() {
    const client = await connect(url, { token });
    const chat = await client.create({ title: "A program's" });
    const run = await chat.send("What is 6*7?");
    const types = [];
    for await (const event of run) types.push(event.type);
    assert.equal(types[0], "RUN_STARTED");
    assert.equal(types.at(-1), "RUN_FINISHED");
    assert.equal(await joined(run.texts()), "Let me see.\n\n42 \u{1f600}!");
    const answer = await run.answer();
    assert.equal(answer?.text, "42 \u{1f600}!");
    assert.equal(chat.session?.title, "A program's");
    assert.ok((await client.profiles()).length);
    for await (const session of client.sessions()) assert.equal(session.id, chat.id);
    client.close();
    await assert.rejects(chat.send("More"), Disconnected);
  },

  async branches() {
    const client = await connect(url, { token });
    const chat = await client.create();
    await (await chat.send("Q1")).answer();
    assert.equal((await (await chat.regenerate()).answer())?.text, "A2");
    const { messages } = await client.call("session.open", { session_id: chat.id });
    assert.equal((await (await chat.edit(messages[0]?.id ?? "", "Q2")).answer())?.text, "A3");
    assert.deepEqual(
      (await chat.earlier(9)).messages.map(({ text }) => text),
      ["Q2", "A3"],
    );
    client.close();
  },

  async stopping() {
    const client = await connect(url, { token });
    const chat = await client.create();
    const run = await chat.send("Count");
    assert.equal(await next(run.texts()), "one ");
    assert.equal(chat.running?.id, run.id);
    assert.equal(await chat.stop(), true);
    const answer = await run.answer();
    assert.deepEqual([answer?.text, answer?.status], ["one ", "stopped"]);
    assert.equal(run.outcome?.type === "RUN_FINISHED" && run.outcome.outcome?.type, "cancelled");
    client.close();
  },

  async queue() {
    const client = await connect(url, { token });
    const chat = await client.create();
    const [first, second, third] = [await chat.send("1"), await chat.send("2"), await chat.send("3")];
    assert.equal(await third.stop(), true);
    assert.equal(await third.answer(), null);
    console.log("open");
    assert.equal((await first.answer())?.text, "one");
    assert.equal((await second.answer())?.text, "two");
    client.close();
  },

  async errors() {
    const client = await connect(url, { token });
    await assert.rejects(client.open(crypto.randomUUID()), NotFound);
    const chat = await client.create();
    await assert.rejects(chat.send("x".repeat(200_001)), (error) => {
      return error instanceof TooLarge && error.data.limit === 200_000;
    });
    await assert.rejects(chat.send("x".repeat(10_000_000)), TooLarge);
    await assert.rejects(client.call("session.create", { profile: -5 }), Refused);
    const failing = (await chat.send("Fail")).answer();
    await assert.rejects(failing, (error) => error instanceof RunFailed && error.code === "provider");
    client.close();
  },

  async others() {
    const [first, second] = [await connect(url, { token }), await connect(url, { token })];
    const facts = first.facts();
    const chat = await second.create({ title: "shared" });
    const run = await chat.send("Hello");
    assert.equal(await next(run.texts()), "one ");
    assert.equal((await facts.next()).value?.event.name, "session.created");
    const watched = (await first.open(chat.id)).running;
    console.log("open");
    assert.equal(watched && (await joined(watched.texts())), "one two");
    assert.deepEqual(watched?.message, await run.answer());
    const { cursor } = first;
    first.close();
    const later = await connect(url, { token, cursor: cursor - 1 });
    assert.ok(later.cursor >= cursor);
    const messageId = crypto.randomUUID();
    const once = await (await later.open(chat.id)).send("Once", { messageId });
    await once.answer();
    later.close();
    const another = await connect(url, { token });
    const again = await (await another.open(chat.id)).send("Once", { messageId });
    assert.equal(again.id, once.id);
    assert.deepEqual(await again.answer(), once.message);
    another.close();
    second.close();
  },

  async denied() {
    await assert.rejects(connect(url, { token: "hermes_wrong" }), Denied);
    await assert.rejects(connect(url), Denied);
  },

  async revoked() {
    const client = await connect(url, { token });
    const facts = client.facts();
    const run = await (await client.create()).send("Hello");
    await next(run.texts());
    console.log("revoke");
    await assert.rejects(run.answer(), Denied);
    await assert.rejects(async () => {
      for await (const _ of facts);
    }, Denied);
    await assert.rejects(client.call("session.list", {}), Denied);
  },

  async restart() {
    const client = await connect(url, { token });
    const chat = await client.create();
    const run = await chat.send("What is 6*7?");
    console.log("restart");
    assert.equal(await joined(run.texts()), "Let me see.\n\nIt is 42.");
    assert.ok(await (await chat.send("And now?")).answer());
    client.close();
  },
};

const scenario = scenarios[process.argv[2] ?? ""];
assert.ok(scenario);
await scenario();
