import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Markdown } from "../../sessions_app/static/sessions_app/js/markdown.js";
import { connect, pass, Refusal, settled, startTheClock, stopTheClock } from "./server.js";

beforeEach(stopTheClock);
afterEach(startTheClock);

/** Where rendering makes `<text>` of each text. */
async function page(limit = 1_000) {
  const { server, socket } = await connect();
  server.on("markdown.render", ({ texts }) => ({ html: texts.map((text) => `<${text}>`) }));
  return { server, markdown: new Markdown(socket, limit, (change) => change()) };
}

test("texts asked for at the same time are one request", async () => {
  const { server, markdown } = await page();
  assert.deepEqual(await Promise.all(["a", "b", "a"].map((text) => markdown.render(text))), ["<a>", "<b>", "<a>"]);
  assert.deepEqual(server.asked("markdown.render"), [{ texts: ["a", "b"] }]);
});

test("a text that is known is not asked for again", async () => {
  const { server, markdown } = await page();
  await markdown.render("a");
  await markdown.render("a");
  assert.equal(server.requests.length, 1);
});

test("a request holds no more than the server takes", async () => {
  const { server, markdown } = await page(4);
  await Promise.all(["aaa", "bb", "cc"].map((text) => markdown.render(text)));
  assert.deepEqual(server.asked("markdown.render"), [{ texts: ["aaa"] }, { texts: ["bb", "cc"] }]);
});

test("a text that is longer than a request is rendered in pieces", async () => {
  const { server, markdown } = await page(12);
  assert.equal(await markdown.render("One two.\n\nThree.\n\nFour."), "<One two.\n\n><Three.\n\n><Four.>");
  assert.equal(server.asked("markdown.render").length, 3);
});

test("a text is rendered after a lost connection", async () => {
  const { server, markdown } = await page();
  server.close();
  const html = markdown.render("a");
  await pass(1_000);
  server.open();
  assert.equal(await html, "<a>");
});

test("a text that the server will never render stays plain", async () => {
  const { server, markdown } = await page();
  server.on("markdown.render", () => {
    throw new Refusal(-32002, { limit: 1 });
  });
  assert.equal(await markdown.render("a"), null);
});

test("a text that the server cannot render is given up after some tries", async () => {
  const { server, markdown } = await page();
  server.on("markdown.render", () => {
    throw new Refusal(-32603);
  });
  const html = markdown.render("a");
  await settled();
  for (let tries = 0; tries < 4; tries += 1) await pass(30_000);
  assert.equal(await html, null);
  assert.equal(server.requests.length, 5);
});
