import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Outbox } from "../../sessions_app/static/sessions_app/js/outbox.js";
import { Storage } from "../../sessions_app/static/sessions_app/js/storage.js";
import {
  CHAT,
  connect,
  id,
  message,
  pass,
  Refusal,
  RUN,
  session,
  settled,
  startTheClock,
  stopTheClock,
} from "./server.js";

beforeEach(stopTheClock);
afterEach(startTheClock);

/** An outbox of a page that is connected; every text is taken, unless a test says otherwise. */
async function page() {
  const { server, socket, tab } = await connect();
  server.on("turn.start", () => ({ run_id: RUN, message: message(0), queued: false }));
  const storage = new Storage("1", tab.window);
  return { server, socket, storage, outbox: new Outbox(socket, storage) };
}

/** @param {import("./server.js").Server} server */
const texts = (server) => server.asked("turn.start").map((params) => params.text);

/**
 * @param {number} code
 * @param {object} [data]
 */
const refuse = (code, data) => () => {
  throw new Refusal(code, data);
};

test("a text is sent with an id of its own, and is gone when it is taken", async () => {
  const { server, outbox, storage } = await page();
  /** @type {string[]} */
  const sent = [];
  outbox.on("started", ({ entry, result }) => sent.push(entry.text, result.run_id));
  outbox.send(CHAT, "Hello");
  assert.equal(storage.unsent().length, 1);
  await settled();
  assert.match(server.asked("turn.start")[0]?.message_id ?? "", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.deepEqual([sent, outbox.entries, storage.unsent()], [["Hello", RUN], [], []]);
});

test("texts are sent one after the other", async () => {
  const { server, outbox } = await page();
  outbox.send(CHAT, "one");
  outbox.send(CHAT, "two");
  assert.deepEqual(texts(server), ["one"]);
  await settled();
  assert.deepEqual(texts(server), ["one", "two"]);
});

test("a text whose answer was lost is sent again as the same message", async () => {
  const { server, outbox } = await page();
  server.on("turn.start", () => new Promise(() => {}));
  outbox.send(CHAT, "Hello");
  server.close();
  await pass(1_000);
  server.on("turn.start", () => ({ run_id: RUN, message: message(0), queued: false }));
  server.open();
  await settled();
  const [first, second] = server.asked("turn.start");
  assert.deepEqual(first, second);
  assert.deepEqual(outbox.entries, []);
});

test("a text survives a reload", async () => {
  const { server, socket, outbox, storage } = await page();
  server.close();
  outbox.send(CHAT, "Hello");
  const later = new Outbox(socket, storage);
  assert.deepEqual(
    later.of(CHAT).map((entry) => entry.text),
    ["Hello"],
  );
});

test("a text for a chat to come waits for it", async () => {
  const { server, outbox, storage } = await page();
  outbox.send(null, "Hello");
  await settled();
  assert.deepEqual(texts(server), []);
  outbox.adopt(CHAT);
  assert.equal(storage.unsent()[0]?.session_id, CHAT);
  await settled();
  assert.deepEqual(server.asked("turn.start")[0]?.session_id, CHAT);
});

test("a text that came too soon is sent when the time is over", async () => {
  const { server, outbox } = await page();
  server.on("turn.start", refuse(-32003, { retry_after: 7 }));
  outbox.send(CHAT, "Hello");
  await settled();
  assert.equal(outbox.entries[0]?.state, "limited");
  server.on("turn.start", () => ({ run_id: RUN, message: message(0), queued: false }));
  await pass(6_999);
  assert.equal(outbox.entries.length, 1);
  await pass(1);
  assert.equal(outbox.entries.length, 0);
});

test("a text that has to wait holds back those after it in its chat alone", async () => {
  const { server, outbox } = await page();
  server.on("turn.start", refuse(-32003, { retry_after: 7 }));
  outbox.send(CHAT, "one");
  await settled();
  server.on("turn.start", () => ({ run_id: RUN, message: message(0), queued: false }));
  outbox.send(CHAT, "two");
  outbox.send(id(9), "elsewhere");
  await settled();
  assert.deepEqual(texts(server), ["one", "elsewhere"]);
  await pass(7_000);
  assert.deepEqual(texts(server), ["one", "elsewhere", "one", "two"]);
});

test("a text for which there is no room is refused, and waits for nothing", async () => {
  const { server, outbox } = await page();
  server.on("turn.start", refuse(-32003, { quota: "text" }));
  outbox.send(CHAT, "Hello");
  await settled();
  assert.equal(outbox.entries[0]?.state, "refused");
});

test("a refused text is kept as refused, with the reason", async () => {
  const { server, outbox, storage } = await page();
  server.on("turn.start", refuse(-32603));
  outbox.send(CHAT, "Hello");
  await settled();
  const [entry] = storage.unsent();
  assert.equal(entry?.state, "refused");
  assert.match(entry?.problem ?? "", /could not do this just now/);
});

test("a text that is too large goes back to its writer", async () => {
  const { server, outbox, storage } = await page();
  server.on("turn.start", refuse(-32002, { limit: 10 }));
  /** @type {string[]} */
  const returned = [];
  outbox.on("returned", ({ entries }) => returned.push(...entries.map((entry) => entry.text)));
  outbox.send(CHAT, "Hello");
  await settled();
  assert.deepEqual([returned, outbox.entries, storage.unsent()], [["Hello"], [], []]);
});

test("a refused text is tried again as the same message", async () => {
  const { server, outbox } = await page();
  server.on("turn.start", refuse(-32603));
  outbox.send(CHAT, "Hello");
  await settled();
  for (const entry of outbox.of(CHAT)) outbox.retry(entry);
  await settled();
  const [first, second] = server.asked("turn.start");
  assert.equal(first?.message_id, second?.message_id);
});

test("a text whose id was taken is tried again with another id", async () => {
  const { server, outbox, storage } = await page();
  server.on("turn.start", refuse(-32004, { message_id: id(1) }));
  outbox.send(CHAT, "Hello");
  await settled();
  for (const entry of outbox.of(CHAT)) outbox.retry(entry);
  assert.equal(storage.unsent().length, 1);
  await settled();
  const [first, second] = server.asked("turn.start");
  assert.notEqual(first?.message_id, second?.message_id);
});

test("a text that is given up is not kept", async () => {
  const { outbox, storage } = await page();
  outbox.send(null, "Hello");
  for (const entry of outbox.of(null)) outbox.drop(entry);
  assert.deepEqual([outbox.entries, storage.unsent()], [[], []]);
});

const TAKEN = { run_id: RUN, message: message(0), session: session(CHAT, 0, { revision: 7 }) };

/** @param {Outbox} outbox */
function returned(outbox) {
  /** @type {string[]} */
  const found = [];
  outbox.on("returned", ({ entries }) => found.push(...entries.map((entry) => entry.text)));
  return found;
}

test("a text is sent with the revision it was written for", async () => {
  const { server, outbox } = await page();
  outbox.send(CHAT, "Hello", { revision: 4 });
  assert.equal(server.asked("turn.start")[0]?.revision, 4);
});

test("texts for a line that is left are given back, and not sent", async () => {
  const { server, outbox, storage } = await page();
  const texts = returned(outbox);
  server.on("turn.start", refuse(-32004, { revision: 5 }));
  outbox.send(CHAT, "one", { revision: 4 });
  outbox.send(CHAT, "two", { revision: 4 });
  outbox.send(id(8), "elsewhere");
  await settled();
  assert.deepEqual(texts, ["one", "two", "elsewhere"]);
  assert.equal(server.asked("turn.start").length, 2);
  assert.deepEqual([outbox.entries, storage.unsent()], [[], []]);
});

test("an edit is sent as such, and again as the same after a lost connection", async () => {
  const { server, outbox } = await page();
  server.on("message.edit", () => new Promise(() => {}));
  outbox.send(CHAT, "other", { edits: id(2) });
  server.close();
  await pass(1_000);
  server.on("message.edit", () => TAKEN);
  server.open();
  await settled();
  const [first, second] = server.asked("message.edit");
  assert.deepEqual([first?.message_id, first?.text], [id(2), "other"]);
  assert.deepEqual(first, second);
  assert.deepEqual([server.asked("turn.start"), outbox.entries], [[], []]);
});

test("a text after an edit goes on from the edited line", async () => {
  const { server, outbox } = await page();
  server.on("message.edit", () => TAKEN);
  outbox.send(CHAT, "other", { edits: id(2), revision: 4 });
  outbox.send(CHAT, "and on", { revision: 4 });
  await settled();
  assert.equal(server.asked("turn.start")[0]?.revision, 7);
});

test("an edit that is refused is given back", async () => {
  const { server, outbox } = await page();
  const texts = returned(outbox);
  server.on("message.edit", refuse(-32004));
  outbox.send(CHAT, "other", { edits: id(2) });
  await settled();
  assert.deepEqual([texts, outbox.entries], [["other"], []]);
});
