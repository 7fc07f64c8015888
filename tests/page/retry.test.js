import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { isPassing, Retry } from "../../sessions_app/static/sessions_app/js/retry.js";
import { Disconnected, Refused } from "../../sessions_app/static/sessions_app/js/socket.js";
import { connect, pass, settled, startTheClock, stopTheClock } from "./server.js";

beforeEach(stopTheClock);
afterEach(startTheClock);

/**
 * @param {number} code
 * @param {import("../../sessions_app/static/sessions_app/js/socket.js").ErrorData} [data]
 */
const refused = (code, data) => new Refused({ code, message: "No.", ...(data && { data }) });

/**
 * A call that fails with each of these, then works.
 * @param {Error[]} errors
 */
const failing = (...errors) => {
  return async () => {
    const error = errors.shift();
    if (error) throw error;
    return "done";
  };
};

test("only what the server may do later passes", () => {
  const passing = [refused(-32603), refused(-32003, { retry_after: 3 })];
  const final = [
    refused(-32602),
    refused(-32001),
    refused(-32002),
    refused(-32004),
    refused(-32003, { quota: "text" }),
  ];
  assert.ok(passing.every(isPassing));
  assert.ok(![...final, new Disconnected(), new TypeError("bug")].some(isPassing));
});

test("a refusal that passes is tried again after a pause", async () => {
  const { socket } = await connect();
  const retry = new Retry(socket);
  const done = retry.until(failing(refused(-32603)));
  await settled();
  assert.deepEqual([retry.troubled, retry.pausing], [true, true]);
  await pass(1_000);
  assert.equal(await done, "done");
  assert.equal(Boolean(retry.troubled), false);
});

test("the server's own time is kept where it is longer", async () => {
  const { socket } = await connect();
  const retry = new Retry(socket);
  retry.until(failing(refused(-32003, { retry_after: 9 })));
  await settled();
  await pass(8_999);
  assert.equal(retry.pausing, true);
  await pass(1);
  assert.equal(Boolean(retry.pausing), false);
});

test("a pause ends when somebody asks for it", async () => {
  const { socket } = await connect();
  const retry = new Retry(socket);
  const done = retry.until(failing(refused(-32603)));
  await settled();
  retry.now();
  assert.equal(await done, "done");
});

test("a lost connection is waited for", async () => {
  const { server, socket } = await connect();
  server.close();
  const done = new Retry(socket).until(failing(new Disconnected()));
  await pass(1_000);
  server.open();
  assert.equal(await done, "done");
});

test("what cannot help is not tried again", async () => {
  const { socket } = await connect();
  await assert.rejects(new Retry(socket).until(failing(refused(-32001))), Refused);
});

test("what is stopped while it pauses fails as it did", async () => {
  const { socket } = await connect();
  const retry = new Retry(socket);
  const done = retry.until(failing(refused(-32603)));
  await settled();
  retry.stop();
  await assert.rejects(done, Refused);
});

test("a pause that is over leads to nothing", async () => {
  const { socket } = await connect();
  const retry = new Retry(socket);
  let ended = false;
  retry.pause(refused(-32603)).then(() => {
    ended = true;
  });
  retry.over();
  await pass(60_000);
  assert.deepEqual([ended, retry.troubled], [false, false]);
});
