import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Disconnected, growingPause, Refused } from "../../sessions_app/static/sessions_app/js/socket.js";
import { connect, pass, Refusal, settled, startTheClock, stopTheClock } from "./server.js";

beforeEach(stopTheClock);
afterEach(startTheClock);

const list = { sessions: [], running: [], next_cursor: null, cursor: 0 };

test("answers find their requests in any order", async () => {
  const { server, socket } = await connect();
  /** @type {((result: Api.StopResult) => void)[]} */
  const answers = [];
  server.on("turn.stop", () => new Promise((resolve) => answers.push(resolve)));
  const calls = [socket.call("turn.stop", { session_id: "a" }), socket.call("turn.stop", { session_id: "b" })];
  await settled();
  answers[1]?.({ stopped: false });
  answers[0]?.({ stopped: true });
  assert.deepEqual(await Promise.all(calls), [{ stopped: true }, { stopped: false }]);
});

test("an error is a refusal with its code and data", async () => {
  const { server, socket } = await connect();
  server.on("turn.stop", () => {
    throw new Refusal(-32003, { retry_after: 5 });
  });
  await assert.rejects(socket.call("turn.stop", { session_id: "a" }), (error) => {
    assert.ok(error instanceof Refused);
    assert.deepEqual([error.code, error.data], [-32003, { retry_after: 5 }]);
    return true;
  });
});

test("a request without a connection is not sent", async () => {
  const { server, socket } = await connect();
  server.close();
  await assert.rejects(socket.call("session.list", {}), Disconnected);
  assert.deepEqual(server.requests, []);
});

test("requests whose connection is lost are told so", async () => {
  const { server, socket } = await connect();
  const call = socket.call("session.list", {});
  server.close();
  await assert.rejects(call, Disconnected);
});

test("a lost connection is made again after a pause that grows", async () => {
  const { server, socket } = await connect();
  server.close();
  assert.equal(socket.state, "waiting");
  await pass(500);
  assert.deepEqual([String(socket.state), server.connections.length], ["connecting", 2]);
  server.close();
  await pass(499);
  assert.equal(server.connections.length, 2);
  await pass(501);
  assert.equal(server.connections.length, 3);
});

test("a pause doubles with each failure, up to the longest, and half of it is chance", () => {
  const whole = { 0: 500, 3: 4_000, 99: 20_000 };
  for (const [failures, longest] of Object.entries(whole)) {
    const pause = growingPause(Number(failures), 500, 20_000);
    assert.ok(pause >= longest / 2 && pause <= longest, `${failures}: ${pause}`);
  }
});

test("a server that restarts is there again at once", async () => {
  const { server, socket } = await connect();
  server.close(4012);
  await pass(250);
  assert.equal(socket.state, "connecting");
});

test("a user with too many connections is let in when asked for", async () => {
  const { server, socket } = await connect();
  server.close(4029);
  await pass(60_000);
  assert.deepEqual([socket.state, server.connections.length], ["full", 1]);
  socket.retry();
  assert.equal(server.connections.length, 2);
});

test("a refused login is tried once more, with the login that the browser has by then", async () => {
  const { server, socket } = await connect();
  let denied = 0;
  socket.on("denied", () => {
    denied += 1;
  });
  server.on("session.list", () => list);
  for (const connections of [2, 3]) {
    server.close(4401);
    await pass(500);
    server.open();
    await socket.call("session.list", {});
    assert.deepEqual([denied, socket.state, server.connections.length], [0, "open", connections]);
  }
});

test("a refused login ends it: nobody waits on, and requests fail", async () => {
  const { server, socket } = await connect();
  let denied = 0;
  let ready = false;
  socket.on("denied", () => {
    denied += 1;
  });
  server.close(4401);
  await pass(500);
  server.close(4401);
  socket.ready().then(() => {
    ready = true;
  });
  await assert.rejects(socket.call("session.list", {}), Disconnected);
  await pass(60_000);
  assert.deepEqual([denied, ready, server.connections.length], [1, false, 2]);
});

test("a connection that does not answer in time is given up", async () => {
  const { server, socket } = await connect();
  const call = socket.call("session.list", {});
  await Promise.all([assert.rejects(call, Disconnected), pass(20_000)]);
  assert.ok(server.closed.has(server.connections[0]));
});

test("a connection that is still sending is not given up", async () => {
  const { server, socket } = await connect();
  server.connection.bufferedAmount = 1;
  const call = socket.call("session.list", {});
  await pass(20_000);
  server.connection.bufferedAmount = 0;
  assert.equal(socket.state, "open");
  await Promise.all([assert.rejects(call, Disconnected), pass(20_000)]);
});

test("a connection that is quiet for long is asked whether it lives", async () => {
  const { server } = await connect();
  server.on("session.list", () => list);
  await pass(45_000);
  assert.equal(server.requests.length, 0);
  await pass(15_000);
  assert.deepEqual(server.asked("session.list"), [{ limit: 1 }]);
});

test("a page that is looked at again connects at once", async () => {
  const { server, tab } = await connect();
  server.close();
  tab.document.visibilityState = "hidden";
  tab.document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(server.connections.length, 1);
  tab.document.visibilityState = "visible";
  tab.document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(server.connections.length, 2);
});

test("a device that goes offline loses its connection, and has it back when online", async () => {
  const { server, socket, tab } = await connect();
  tab.dispatchEvent(new Event("offline"));
  assert.equal(socket.state, "waiting");
  tab.dispatchEvent(new Event("online"));
  server.open();
  await settled();
  assert.equal(String(socket.state), "open");
});

test("what an old connection still says is not heard", async () => {
  const { server, socket } = await connect();
  const { connection } = server;
  let heard = 0;
  socket.on("event", () => {
    heard += 1;
  });
  server.close();
  connection.onmessage?.({ data: '{"method":"session.event","params":{}}' });
  assert.equal(heard, 0);
});
