import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Conversation } from "../../sessions_app/static/sessions_app/js/conversation.js";
import { Markdown } from "../../sessions_app/static/sessions_app/js/markdown.js";
import { open } from "./chat.js";
import {
  CHAT,
  connect,
  id,
  message,
  opened,
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

/** @param {Conversation} chat */
const positions = (chat) => chat.messages.map((shown) => shown.position);

/** @param {Page.Message} value @returns {Api.FactNotification["event"]} */
const created = (value) => ({ type: "CUSTOM", name: "message.created", value });

/** @param {"turn.queued" | "turn.withdrawn"} name @returns {Api.FactNotification["event"]} */
const queue = (name) => ({
  type: "CUSTOM",
  name,
  value: { run_id: RUN, message_id: id(2), text: "next", kind: "message" },
});

/**
 * @param {"turn.began" | "turn.ended"} name
 * @param {Partial<Api.TurnShape>} more
 * @returns {Api.FactNotification["event"]}
 */
const turn = (name, more) => ({
  type: "CUSTOM",
  name,
  value: { session_id: CHAT, run_id: RUN, status: "running", message_id: id(1), error: null, kind: "message", ...more },
});

/** @type {Api.RunShape} */
const run = { run_id: RUN, message_id: id(1), text: "", seq: 1 };

test("a chat is shown when its answers are rendered", async () => {
  const { server, chat } = await open(opened({ messages: [message(0), message(1)] }));
  assert.deepEqual(server.asked("markdown.render"), [{ texts: ["text 1"] }]);
  assert.equal(chat.loaded, true);
});

test("a chat is shown without its HTML where that takes too long", async () => {
  const { server, socket, journal } = await connect();
  server.on("session.open", () => opened({ messages: [message(1)] }));
  const markdown = new Markdown(socket, 1_000, (change) => change());
  const chat = new Conversation({ socket, journal, markdown, id: CHAT });
  chat.refresh();
  await settled();
  assert.equal(chat.loaded, false);
  await pass(600);
  assert.equal(chat.loaded, true);
});

test("facts that the answer reflects are not taken again", async () => {
  const { server, chat } = await open(opened({ messages: [message(0)], cursor: 7 }));
  const runs = () => chat.run?.id;
  server.fact(7, turn("turn.began", {}));
  assert.equal(runs(), undefined);
  server.fact(8, turn("turn.began", {}));
  assert.equal(runs(), RUN);
});

test("facts before the answer are left to it", async () => {
  const { server, socket, journal } = await connect();
  const markdown = new Markdown(socket, 1_000, (change) => change());
  const chat = new Conversation({ socket, journal, markdown, id: CHAT });
  server.fact(1, created(message(0)));
  assert.deepEqual(chat.messages, []);
});

test("what happens in other chats is not heard", async () => {
  const { server, chat } = await open();
  server.fact(1, created(message(0)), id(9));
  assert.deepEqual(chat.messages, []);
});

test("a message is added once, at its position", async () => {
  const { server, chat } = await open(opened({ messages: [message(0), message(3)] }));
  server.fact(1, created(message(2)));
  server.fact(2, created(message(2)));
  assert.deepEqual(positions(chat), [0, 2, 3]);
});

test("a turn waits until it is withdrawn", async () => {
  const { server, chat } = await open();
  server.fact(1, queue("turn.queued"));
  server.fact(2, queue("turn.queued"));
  assert.deepEqual(
    chat.queued.map((entry) => entry.text),
    ["next"],
  );
  server.fact(3, queue("turn.withdrawn"));
  assert.deepEqual(chat.queued, []);
});

test("a turn waits until its message is part of the chat", async () => {
  const { server, chat } = await open();
  server.fact(1, queue("turn.queued"));
  server.fact(2, created(message(2)));
  assert.deepEqual(chat.queued, []);
});

test("a turn that has begun does not wait again", async () => {
  const { server, chat } = await open();
  server.fact(1, turn("turn.began", {}));
  server.fact(2, queue("turn.queued"));
  assert.deepEqual(chat.queued, []);
});

test("a turn that had ended when it was told begins no answer", async () => {
  const { server, chat } = await open();
  server.fact(1, turn("turn.began", { status: "failed" }));
  assert.equal(chat.run, null);
});

test("an answer that is stored takes the place of the run", async () => {
  const { server, chat, said } = await open(opened({ messages: [message(0)], run }));
  server.fact(1, created(message(1)));
  server.fact(2, turn("turn.ended", { status: "complete" }));
  assert.equal(chat.run, null);
  assert.deepEqual(positions(chat), [0, 1]);
  assert.deepEqual(said, ["Answer finished."]);
});

test("steps with calls are shown by the run until it is stored", async () => {
  const { server, chat } = await open(opened({ messages: [message(0)], run }));
  server.fact(1, created(message(1, { tool_calls: [{ id: "c", name: "calculate", arguments: "{}" }] })));
  server.fact(2, created(message(2, { role: "tool", tool_call_id: "c" })));
  assert.deepEqual(positions(chat), [0]);
  server.fact(3, created(message(3)));
  assert.deepEqual(positions(chat), [0, 1, 2, 3]);
});

test("the message of a turn without an answer says why", async () => {
  const { server, chat, said } = await open(opened({ messages: [message(0)], run }));
  const error = { code: "timeout", text: "The provider was silent." };
  server.fact(1, turn("turn.ended", { status: "failed", error }));
  assert.deepEqual(chat.messages[0]?.error, error);
  assert.deepEqual(said, ["Answer failed."]);
});

test("an answer that is not whole says why", async () => {
  const { server, said } = await open(opened({ messages: [message(0)], run }));
  server.fact(1, created(message(1, { finish: "length" })));
  server.fact(2, turn("turn.ended", { status: "complete" }));
  assert.deepEqual(said, ["The answer reached its length limit."]);
});

test("a last message that nobody works on is unanswered", async () => {
  const { chat } = await open(opened({ messages: [message(1), message(2)] }));
  assert.equal(chat.unanswered, id(2));
});

test("a last message whose turn runs is not unanswered", async () => {
  const { chat } = await open(opened({ messages: [message(2)], run }));
  assert.equal(chat.unanswered, null);
});

test("a gap in the run has the chat fetched again", async () => {
  const { server, chat } = await open(opened({ messages: [message(0)], run }));
  server.on("session.open", () => opened({ messages: [message(0)], run: { ...run, text: "So far", seq: 8 } }));
  server.run(5, { type: "TOOL_CALL_START", toolCallId: "c", toolCallName: "calculate" });
  await settled();
  assert.deepEqual([chat.run?.seq, chat.run?.parts[0]?.text], [8, "So far"]);
});

test("an answer older than what came since does not take the run back", async () => {
  const { server, chat } = await open(opened({ messages: [message(0)], run }));
  const content = { messageId: id(1), delta: "One", metadata: { offset: 0 } };
  server.run(2, { type: "TEXT_MESSAGE_CONTENT", ...content });
  chat.refresh();
  await settled();
  assert.deepEqual([chat.run?.seq, chat.run?.parts[0]?.text], [2, "One"]);
});

test("a refusal that passes is tried again, and what is shown stays", async () => {
  const { server, chat } = await open(opened({ messages: [message(0)] }));
  server.on("session.open", () => {
    throw new Refusal(-32603);
  });
  chat.refresh();
  await settled();
  assert.deepEqual([chat.trying.troubled, positions(chat)], [true, [0]]);
  server.on("session.open", () => opened({ messages: [message(0), message(1)] }));
  await pass(1_000);
  assert.deepEqual([chat.trying.troubled, positions(chat)], [false, [0, 1]]);
});

test("a chat that is not found is gone", async () => {
  const { server, chat } = await open();
  /** @type {(number | undefined)[]} */
  const gone = [];
  chat.on("gone", (error) => gone.push(error?.code));
  server.on("session.open", () => {
    throw new Refusal(-32001);
  });
  chat.refresh();
  await settled();
  assert.deepEqual(gone, [-32001]);
});

test("a chat that is deleted is gone", async () => {
  const { server, chat } = await open();
  let gone = 0;
  chat.on("gone", () => {
    gone += 1;
  });
  server.fact(1, { type: "CUSTOM", name: "session.deleted", value: CHAT });
  assert.equal(gone, 1);
});

test("older messages come before those shown", async () => {
  const { server, chat } = await open(opened({ messages: [message(4), message(5)], has_more: true }));
  server.on("session.messages", () => ({ messages: [message(2), message(3)], has_more: false, has_newer: true }));
  assert.deepEqual(await Promise.all([chat.older(), chat.older()]), [true, true]);
  assert.deepEqual(server.asked("session.messages"), [{ session_id: CHAT, before: 4, limit: 50 }]);
  assert.deepEqual([positions(chat), chat.hasMore], [[2, 3, 4, 5], false]);
  assert.equal(await chat.older(), false);
});

test("a place far up is reached in large pages", async () => {
  const { server, chat } = await open(opened({ messages: [message(8)], has_more: true }));
  server.on("session.messages", ({ before = 0 }) => ({
    messages: [message(before - 3)],
    has_more: before > 3,
    has_newer: true,
  }));
  assert.equal((await chat.messageAt(4))?.position, 5);
  assert.deepEqual(
    server.asked("session.messages").map(({ before, limit }) => [before, limit]),
    [[8, 200], [5, 200]], // biome-ignore format: one row
  );
});

test("a page that meets what is shown keeps what is older", async () => {
  const { server, chat } = await open(opened({ messages: [message(4), message(5)], has_more: true }));
  server.on("session.messages", () => ({ messages: [message(2), message(3)], has_more: false, has_newer: true }));
  await chat.older();
  server.on("session.open", () => opened({ messages: [message(5), message(6)], has_more: true }));
  chat.refresh();
  await settled();
  assert.deepEqual([positions(chat), chat.hasMore], [[2, 3, 4, 5, 6], false]);
});

test("a page that does not meet what is shown replaces it", async () => {
  const { server, chat } = await open(opened({ messages: [message(0), message(1)] }));
  server.on("session.open", () => opened({ messages: [message(8), message(9)], has_more: true }));
  chat.refresh();
  await settled();
  assert.deepEqual([positions(chat), chat.hasMore], [[8, 9], true]);
});

test("what another program has changed is fetched again, older pages too", async () => {
  const { server, chat } = await open(opened({ messages: [message(4), message(5)], has_more: true }));
  server.on("session.messages", () => ({ messages: [message(2), message(3)], has_more: false, has_newer: true }));
  await chat.older();
  server.on("session.messages", () => ({
    messages: [message(3, { text: "other" })],
    has_more: false,
    has_newer: true,
  }));
  const value = { session_id: CHAT, revision: 9 };
  server.fact(1, { type: "CUSTOM", name: "transcript.changed", value });
  await settled();
  assert.deepEqual(
    chat.messages.map((shown) => shown.text),
    ["other", "text 4", "text 5"],
  );
});

test("a chat that is left hears nothing more", async () => {
  const { server, chat } = await open();
  chat.close();
  server.fact(1, created(message(0)));
  assert.deepEqual(chat.messages, []);
  assert.deepEqual(server.asked("session.close"), [{ session_id: CHAT }]);
});

test("an answer that comes after the chat was left changes nothing", async () => {
  const { server, chat } = await open();
  server.on("session.open", () => opened({ messages: [message(0)] }));
  chat.refresh();
  chat.close();
  await settled();
  assert.deepEqual(chat.messages, []);
});

test("stop names the running turn, or the one that waits", async () => {
  const { server, chat } = await open(opened({ run }));
  server.on("turn.stop", () => ({ stopped: true }));
  await chat.stop();
  await chat.stop(id(7));
  assert.deepEqual(
    server.asked("turn.stop").map((params) => params.run_id),
    [RUN, id(7)],
  );
});

/** What the server says of the chat when another line of it is shown. @param {number} revision */
const selected = (revision) => session(CHAT, 0, { revision });

/** @param {number} revision @returns {Api.FactNotification["event"]} */
const branch = (revision) => ({ type: "CUSTOM", name: "branch.selected", value: selected(revision) });

const line = [message(0), message(1), message(2), message(3)];

/** A chat of four messages, which is at revision 4. */
const openLine = () => open(opened({ session: selected(4), messages: line }));

/** @param {Conversation} chat */
const texts = (chat) => chat.messages.map((shown) => shown.text);

test("another answer takes the place of one and of what came after it", async () => {
  const { server, chat } = await openLine();
  server.on("turn.regenerate", () => ({ run_id: RUN, session: selected(6) }));
  const done = chat.regenerate(id(1));
  assert.equal(chat.steering, true);
  await done;
  assert.deepEqual(server.asked("turn.regenerate"), [{ session_id: CHAT, message_id: id(1) }]);
  assert.deepEqual([positions(chat), chat.run?.id, chat.revision, chat.steering], [[0], RUN, 6, false]);
});

test("another answer stands behind the summary that was made before it", async () => {
  const summary = message(1, { role: "user", kind: "summary" });
  const answer = message(2, { role: "assistant" });
  const { server, chat } = await open(opened({ messages: [message(0), summary, answer] }));
  server.on("turn.regenerate", () => ({ run_id: RUN, session: selected(6) }));
  await chat.regenerate(id(2));
  assert.deepEqual([positions(chat), chat.run?.id], [[0, 1], RUN]);
});

test("a retry answers the last message, which says no error any more", async () => {
  const failed = message(2, { error: { code: "timeout", text: "Silent." } });
  const { server, chat } = await open(opened({ messages: [message(0), message(1), failed] }));
  server.on("turn.regenerate", () => ({ run_id: RUN, session: selected(6) }));
  await chat.regenerate();
  assert.deepEqual(server.asked("turn.regenerate"), [{ session_id: CHAT }]);
  assert.deepEqual([positions(chat), chat.messages[2]?.error, chat.run?.id], [[0, 1, 2], null, RUN]);
});

test("what is refused leaves the line as it was", async () => {
  const { server, chat } = await openLine();
  const refuse = () => {
    throw new Refusal(-32004);
  };
  server.on("turn.regenerate", refuse);
  server.on("branch.select", refuse);
  await assert.rejects(chat.regenerate(id(1)));
  await assert.rejects(chat.select(id(9)));
  assert.deepEqual([positions(chat), chat.run, chat.revision, chat.steering], [[0, 1, 2, 3], null, 4, false]);
});

test("an edited message takes the place of the line after it", async () => {
  const { chat } = await openLine();
  const edited = message(2, { id: id(9), text: "other", alternatives: [id(2)], place: 2 });
  chat.edited({ run_id: RUN, message: edited, session: selected(6) });
  assert.deepEqual([texts(chat), chat.run?.id, chat.revision], [["text 0", "text 1", "other"], RUN, 6]);
});

test("a note takes the place of the one that was at its position", async () => {
  const note = message(2, { role: "user", kind: "note", text: "before" });
  const { server, chat } = await open(
    opened({ messages: [message(0), message(1), note, message(3, { role: "user" })] }),
  );
  server.fact(1, created({ ...note, id: id(9), text: "after" }));
  assert.deepEqual(texts(chat), ["text 0", "text 1", "after", "text 3"]);
});

test("a note after a message is not what was said last", async () => {
  const note = message(1, { role: "user", kind: "note" });
  const { chat } = await open(opened({ messages: [message(0), note] }));
  assert.equal(chat.unanswered, id(0));
  assert.equal(chat.asked()?.id, id(0));
  assert.equal(chat.lastSaid?.id, id(0));
});

test("a decision on a proposal is shown where it is told", async () => {
  const result = message(2, { role: "tool", proposal: "open" });
  const { server, chat } = await open(opened({ messages: [message(0), message(1), result] }));
  server.on("memory.decide", ({ message_id, save }) => ({
    message: { ...result, id: message_id, proposal: save ? "saved" : "refused" },
    memory: null,
  }));
  await chat.decide(result, false);
  assert.equal(chat.messages[2]?.proposal, "refused");
});

test("an edited message that is shown already changes nothing", async () => {
  const { chat } = await openLine();
  chat.edited({ run_id: RUN, message: message(2), session: selected(6) });
  assert.deepEqual([positions(chat), chat.run, chat.revision], [[0, 1, 2, 3], null, 4]);
});

test("another version is shown as it went on", async () => {
  const { server, chat } = await openLine();
  const other = message(1, { id: id(9), text: "other", alternatives: [id(1)], place: 2 });
  server.on("branch.select", () => ({ session: selected(5), messages: [message(0), other], has_more: false }));
  await chat.select(id(9), id(1));
  assert.deepEqual(server.asked("branch.select"), [{ message_id: id(9) }]);
  assert.deepEqual([texts(chat), chat.revision], [["text 0", "other"], 5]);
  server.fact(1, branch(5));
  assert.equal(server.asked("session.open").length, 1);
});

test("a version that went on for long is loaded up to its place", async () => {
  const { server, chat } = await openLine();
  const other = message(1, { id: id(9), text: "other" });
  server.on("branch.select", () => ({ session: selected(5), messages: [message(80)], has_more: true }));
  server.on("session.messages", () => ({
    messages: [message(0), other, message(79)],
    has_more: false,
    has_newer: true,
  }));
  await chat.select(id(9), id(1));
  assert.deepEqual(positions(chat), [0, 1, 79, 80]);
});

test("a line that was chosen elsewhere is fetched, and nothing told meanwhile mixed in", async () => {
  const { server, chat, said } = await openLine();
  const other = message(2, { id: id(9), text: "other" });
  server.on("session.open", () =>
    opened({ session: selected(6), messages: [message(0), message(1), other], cursor: 2 }),
  );
  server.fact(1, branch(5));
  server.fact(2, created(other));
  assert.deepEqual(positions(chat), [0, 1, 2, 3]);
  await settled();
  assert.deepEqual([texts(chat), chat.revision], [["text 0", "text 1", "other"], 6]);
  assert.deepEqual(said, ["Another version of this chat is shown."]);
});

test("what was asked for before another line came is asked for again", async () => {
  const { server, chat } = await openLine();
  /** @type {(answer: Api.OpenResult) => void} */
  let answer = () => {};
  server.on("session.open", () => new Promise((resolve) => (answer = resolve)));
  server.on("turn.regenerate", () => ({ run_id: RUN, session: selected(6) }));
  chat.refresh();
  await chat.regenerate(id(3));
  answer(opened({ session: selected(4), messages: line }));
  await settled();
  assert.deepEqual([positions(chat), chat.run?.id], [[0, 1, 2], RUN]);
  answer(opened({ session: selected(6), messages: line.slice(0, 3), run }));
  await settled();
  assert.equal(chat.revision, 6);
});

test("a rating is that of the message, wherever it was given", async () => {
  const { server, chat } = await openLine();
  server.on("message.rate", () => ({ message: message(1, { rating: 1 }) }));
  await chat.rate(message(1), 1);
  assert.equal(chat.messages[1]?.rating, 1);
  server.fact(1, { type: "CUSTOM", name: "message.updated", value: message(1, { rating: -1 }) });
  assert.equal(chat.messages[1]?.rating, -1);
});

test("a stop before the first word is told at the message that was asked", async () => {
  const { server, chat, said } = await open(opened({ messages: [message(0)], run }));
  server.fact(1, turn("turn.ended", { status: "stopped" }));
  assert.deepEqual([chat.messages[0]?.error?.code, said], ["stopped", ["Answer stopped."]]);
});

test("the end is said of an answer that comes with a new chat", async () => {
  const { server, socket, journal } = await connect();
  const messages = [message(0), message(1)];
  server.on("session.open", () => opened({ messages }));
  server.on("markdown.render", ({ texts }) => ({ html: texts }));
  const markdown = new Markdown(socket, 1_000, (change) => change());
  const chat = new Conversation({ socket, journal, markdown, id: CHAT });
  chat.awaited = messages[0]?.id;
  /** @type {string[]} */
  const said = [];
  chat.on("said", (words) => said.push(words));
  await chat.refresh();
  await chat.refresh();
  assert.deepEqual(said, ["Answer finished."]);
});

test("the end is said of an answer that ended while the page was away", async () => {
  const { server, chat, said } = await open(opened({ messages: [message(0)], run }));
  server.on("session.open", () => opened({ messages: [message(0), message(1)] }));
  await chat.refresh();
  await chat.refresh();
  assert.deepEqual(said, ["Answer finished."]);
});

test("nothing is said of an answer from before", async () => {
  const { said } = await open(opened({ messages: [message(0), message(1)] }));
  assert.deepEqual(said, []);
});

/** A chat whose end is here, and the place of message 20, far up. */
async function visited() {
  const { server, chat } = await open(opened({ messages: [message(80), message(81)], has_more: true }));
  server.on("session.messages", () => ({ messages: [message(19), message(20)], has_more: true, has_newer: true }));
  await chat.visit(id(20));
  return { server, chat };
}

test("a place far up is shown without what is between", async () => {
  const { server, chat } = await visited();
  assert.deepEqual(server.asked("session.messages"), [{ session_id: CHAT, around: id(20), limit: 50 }]);
  assert.deepEqual([positions(chat), chat.hasMore, chat.hasNewer], [[19, 20], true, true]);
  await chat.visit(id(19));
  assert.equal(server.asked("session.messages").length, 1);
});

test("a place near the end goes on to it", async () => {
  const { server, chat } = await open(opened({ messages: [message(80), message(81)], has_more: true }));
  server.on("session.messages", () => ({ messages: [message(79), message(80)], has_more: true, has_newer: true }));
  await chat.visit(id(79));
  assert.deepEqual([positions(chat), chat.hasNewer], [[79, 80, 81], false]);
});

test("a place that cannot be had for now is asked for again", async () => {
  const { server, chat } = await open(opened({ messages: [message(80), message(81)], has_more: true }));
  server.on("session.messages", () => {
    throw new Refusal(-32603);
  });
  const visit = chat.visit(id(20));
  await settled();
  assert.equal(chat.tryingOlder.troubled, true);
  server.on("session.messages", () => ({ messages: [message(19), message(20)], has_more: true, has_newer: true }));
  await pass(1_000);
  await visit;
  assert.deepEqual([chat.tryingOlder.troubled, positions(chat)], [false, [19, 20]]);
});

test("what happens at the end is not put after a place further up", async () => {
  const { server, chat } = await visited();
  server.fact(1, created(message(82)));
  assert.deepEqual([positions(chat), chat.asked()], [[19, 20], undefined]);
});

test("newer messages follow, and the end is as it is by then", async () => {
  const { server, chat } = await visited();
  server.fact(1, created(message(82)));
  server.on("session.messages", () => ({ messages: [message(21), message(81)], has_more: true, has_newer: false }));
  server.on("session.open", () => opened({ messages: [message(81), message(82)], has_more: true, cursor: 1 }));
  await Promise.all([chat.newer(), chat.newer()]);
  await settled();
  assert.deepEqual(server.asked("session.messages").at(-1), { session_id: CHAT, after: 20, limit: 50 });
  assert.equal(server.asked("session.messages").length, 2);
  assert.deepEqual([positions(chat), chat.hasNewer], [[19, 20, 21, 81, 82], false]);
});

test("a new connection leaves a place further up as it is", async () => {
  const { chat } = await visited();
  chat.reopen();
  await settled();
  assert.deepEqual([positions(chat), chat.hasNewer], [[19, 20], true]);
});

test("going back to the end shows the end", async () => {
  const { server, chat } = await visited();
  server.on("session.open", () => opened({ messages: [message(81), message(82)], has_more: true }));
  await chat.toLatest();
  assert.deepEqual([positions(chat), chat.hasMore, chat.hasNewer], [[81, 82], true, false]);
});

test("a message of another line makes that the one shown", async () => {
  const { server, chat } = await open(opened({ messages: [message(0), message(1)] }));
  let line = 1;
  server.on("session.messages", () => {
    if (line === 1) throw new Refusal(-32004, { revision: 1 });
    return { messages: [message(0), message(1, { id: id(90) })], has_more: false, has_newer: false };
  });
  server.on("branch.select", () => {
    line = 2;
    return {
      session: session(CHAT, 0, { revision: 2 }),
      messages: [message(0), message(1, { id: id(90) })],
      has_more: false,
    };
  });
  await chat.visit(id(90));
  assert.deepEqual(
    chat.messages.map((shown) => shown.id),
    [id(0), id(90)],
  );
});
