import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { costOfSwitch, notTaken } from "../../sessions_app/static/sessions_app/js/choice_words.js";
import { Profiles } from "../../sessions_app/static/sessions_app/js/profiles.js";
import { CHAT, connect, session, settled, startTheClock, stopTheClock } from "./server.js";

beforeEach(stopTheClock);
afterEach(startTheClock);

/**
 * @param {number} number
 * @param {Partial<Api.ChoiceShape>} [more]
 * @returns {Api.ChoiceShape}
 */
const profile = (number, more) => ({
  id: number,
  name: `Profile ${number}`,
  description: "",
  model: "demo",
  is_default: number === 2,
  memory: true,
  takes_images: true,
  takes_files: true,
  input_price: null,
  ...more,
});

/** @param {Api.ChoiceShape[]} list */
async function offered(...list) {
  const { server, socket } = await connect();
  server.on("profile.list", () => ({ profiles: list }));
  const profiles = new Profiles(socket);
  await profiles.load();
  await settled();
  return { server, profiles };
}

/** @param {number | null} tokens @param {number | null} [of] */
const chat = (tokens, of = 1) => session(CHAT, 0, { profile: of, context: { tokens, limit: null } });

test("a new chat has the profile that was chosen, else the default one", async () => {
  const { profiles } = await offered(profile(1), profile(2));
  assert.equal(profiles.forNewChat?.id, 2);
  profiles.choose(1);
  assert.equal(profiles.forNewChat?.id, 1);
  profiles.choose(9);
  assert.equal(profiles.forNewChat?.id, 2);
});

test("one profile is no choice, unless the chat has another", async () => {
  const { profiles } = await offered(profile(2));
  assert.equal(profiles.isChoice(undefined), false);
  assert.equal(profiles.isChoice(chat(0, 2)), false);
  profiles.meet(chat(0, 1));
  assert.equal(profiles.whyGone(chat(0, 1)), ""); // it may be newer than the list, which is fetched again
  await settled();
  assert.match(profiles.whyGone(chat(0, 1)), /no longer offered/);
  assert.equal(profiles.isChoice(chat(0, 1)), true);
});

test("a profile that is newer than the list is fetched, and not gone", async () => {
  const { server, profiles } = await offered();
  server.on("profile.list", () => ({ profiles: [profile(1)] }));
  profiles.meet(chat(0, 1));
  assert.equal(profiles.whyGone(chat(0, 1)), "");
  await settled();
  assert.equal(profiles.whyGone(chat(0, 1)), "");
  assert.equal(profiles.get(1)?.name, "Profile 1");
});

test("no profile is gone before they are known", async () => {
  const { socket } = await connect();
  const profiles = new Profiles(socket);
  profiles.meet(chat(0, 1));
  assert.equal(profiles.whyGone(chat(0, 1)), "");
  assert.equal(profiles.whyGone(chat(0, null)), "");
});

test("a profile that was removed is gone without a question", async () => {
  const { server, profiles } = await offered(profile(2));
  const asked = server.asked("profile.list").length;
  profiles.meet(chat(0, null));
  await settled();
  assert.equal(profiles.whyGone(chat(0, null)), "The model of this chat was removed. Choose another.");
  assert.equal(profiles.isChoice(chat(0, null)), true);
  assert.equal(server.asked("profile.list").length, asked);
});

test("a switch says its cost where tokens and price are known", () => {
  const priced = profile(2, { input_price: 2.5 });
  assert.equal(costOfSwitch(chat(4_120), priced), "The model reads this chat anew: about 4,100 tokens, $0.01");
  assert.match(costOfSwitch(chat(120), priced), /about 120 tokens, less than \$0.01$/);
  assert.equal(costOfSwitch(chat(null), priced), "");
  assert.equal(costOfSwitch(chat(4_120), profile(2)), "");
  assert.equal(costOfSwitch(chat(4_120, 2), priced), "");
  assert.equal(costOfSwitch(undefined, priced), "");
});

test("what files a model does not take is said", () => {
  assert.equal(notTaken(profile(1)), "");
  assert.equal(notTaken(profile(1, { takes_images: false })), "Takes no pictures");
  assert.equal(notTaken(profile(1, { takes_images: false, takes_files: false })), "Takes no pictures and no documents");
});
