// Files of messages that are being written: on their way, there, refused, taken back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Attachments, MOST_FILES } from "../../sessions_app/static/sessions_app/js/attachments.js";

/**
 * @param {string} name
 * @param {string} media_type
 */
const shape = (name, media_type = "text/plain") => ({
  id: `id of ${name}`,
  name,
  media_type,
  size: 3,
  url: `/${name}`,
});

/** A server that takes files when it is told to. */
class Server {
  /** @type {Map<string, (outcome: import("../../sessions_app/static/sessions_app/js/upload.js").Outcome) => void>} */
  waiting = new Map();
  /** @type {string[]} */
  cancelled = [];

  /** @param {File} file */
  send(file) {
    const done = new Promise((resolve) => this.waiting.set(file.name, resolve));
    return /** @type {any} */ ({ done, cancel: () => this.cancelled.push(file.name) });
  }

  /** @param {string} name */
  async take(name, media_type = "text/plain") {
    this.waiting.get(name)?.({ told: shape(name, media_type) });
    await new Promise(setImmediate);
  }
}

/** @param {Partial<Api.ChoiceShape>} [profile] */
function made(profile) {
  const server = new Server();
  const allowed = { files: true };
  const attachments = new Attachments({
    maxFile: 10,
    send: (file) => server.send(file),
    profile: () => /** @type {any} */ (profile),
    allowed: () => allowed.files,
  });
  return { server, attachments, allowed };
}

/** @param {string[]} names */
const files = (...names) => names.map((name) => new File(["abc"], name, { type: "text/plain" }));

test("a file is ready once the server has it", async () => {
  const { server, attachments } = made();
  attachments.add(null, files("a", "b"));
  assert.equal(attachments.isBusy(null), true);
  await server.take("a");
  assert.equal(attachments.isReady(null), false);
  await server.take("b");
  assert.deepEqual([attachments.isReady(null), attachments.isBusy(null)], [true, false]);
  assert.deepEqual(
    attachments.take(null).map(({ name }) => name),
    ["a", "b"],
  );
  assert.deepEqual(attachments.of(null), []);
});

test("one that is refused keeps its reason and holds the message back", async () => {
  const { server, attachments } = made();
  attachments.add("chat", files("a"));
  server.waiting.get("a")?.({ problem: "It is damaged." });
  await new Promise(setImmediate);
  const [item] = attachments.of("chat");
  assert.ok(item);
  assert.equal(attachments.problemOf(item), "It is damaged.");
  assert.deepEqual([attachments.isReady("chat"), attachments.isBusy("chat")], [false, false]);
});

test("one that is too large, and one too many, are not sent", () => {
  const { server, attachments } = made();
  attachments.add(null, [new File(["x".repeat(11)], "large")]);
  assert.match(attachments.of(null)[0]?.problem ?? "", /at most 10 B/);
  attachments.add(null, files(...Array.from({ length: MOST_FILES }, (_, number) => `file ${number}`)));
  assert.match(attachments.of(null).at(-1)?.problem ?? "", /at most 20 files/);
  assert.equal(server.waiting.size, MOST_FILES - 1);
});

test("one that is taken away on its way is cut off", () => {
  const { server, attachments } = made();
  attachments.add(null, files("a"));
  attachments.remove(null, attachments.of(null)[0]?.key ?? "");
  assert.deepEqual([server.cancelled, attachments.of(null)], [["a"], []]);
});

test("each chat has its own, and a new chat takes over what was added before it was there", async () => {
  const { server, attachments } = made();
  attachments.add(null, files("a"));
  attachments.add("one", files("b"));
  attachments.adopt("two");
  await server.take("a");
  assert.deepEqual(
    ["one", "two", null].map((chat) => attachments.of(chat).map(({ name }) => name)),
    [["b"], ["a"], []],
  );
});

test("a model that takes no pictures is said before it is sent", async () => {
  const { server, attachments } = made({ takes_images: false, takes_files: true });
  attachments.add(null, files("a", "b"));
  await server.take("a", "image/png");
  await server.take("b");
  const problems = attachments.of(null).map((item) => attachments.problemOf(item));
  assert.deepEqual(problems, ["The chosen model takes no pictures.", ""]);
  assert.equal(attachments.isReady(null), false);
});

test("files that come back stand once, before what was added since", () => {
  const { attachments } = made();
  attachments.add(null, files("new"));
  attachments.putBack(null, [shape("old")]);
  attachments.putBack(null, [shape("old")]);
  assert.deepEqual(
    attachments.of(null).map(({ name }) => name),
    ["old", "new"],
  );
});

test("files of who may send none stay in the draft, and say why they cannot go", async () => {
  const { server, attachments, allowed } = made();
  attachments.add(null, files("a"));
  await server.take("a");
  assert.equal(attachments.isReady(null), true);
  allowed.files = false;
  assert.equal(attachments.isReady(null), false);
  assert.match(attachments.problemOf(/** @type {Page.Attachment} */ (attachments.of(null)[0])), /may not send files/);
  allowed.files = true;
  assert.equal(attachments.isReady(null), true);
});
