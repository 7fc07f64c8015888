// Which features may be used: as the page came, as the server says, and as it changes.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Features } from "../../sessions_app/static/sessions_app/js/features.js";
import { Profiles } from "../../sessions_app/static/sessions_app/js/profiles.js";
import { connect, settled, startTheClock, stopTheClock } from "./server.js";

beforeEach(stopTheClock);
afterEach(startTheClock);

test("what may be used follows the server, and profiles are asked for again", async () => {
  const { server, socket } = await connect();
  server.on("account.features", () => ({ features: ["sharing"] }));
  server.on("profile.list", () => ({ profiles: [] }));
  const features = new Features(socket, ["files"]);
  const profiles = new Profiles(socket);
  let changes = 0;
  features.on("change", () => changes++);
  assert.equal(features.has("files"), true);
  await features.load();
  assert.deepEqual([features.has("files"), features.has("sharing"), changes], [false, true, 1]);
  assert.equal(profiles.whyGone(undefined), "");
  server.tellAccount({ features: ["files"] });
  await settled();
  assert.deepEqual([features.has("files"), features.has("sharing"), changes], [true, false, 2]);
  assert.match(profiles.whyGone(undefined), /^No model is offered to you/);
});

test("where the server cannot say, it stays as it was", async () => {
  const { server, socket } = await connect();
  const features = new Features(socket, ["files"]);
  const asked = features.load();
  server.close();
  await asked;
  assert.equal(features.has("files"), true);
});
