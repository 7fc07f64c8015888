import assert from "node:assert/strict";
import { test } from "node:test";
import { Emitter } from "../../sessions_app/static/sessions_app/js/events.js";

/** @extends {Emitter<{ said: string, done: undefined }>} */
class Speaker extends Emitter {}

test("what is told is heard at once, by all that listen to its name", () => {
  const speaker = new Speaker();
  /** @type {unknown[]} */
  const heard = [];
  speaker.on("said", (words) => heard.push(1, words));
  speaker.on("said", (words) => heard.push(2, words));
  speaker.on("done", () => heard.push("done"));
  speaker.tell("said", "hello");
  assert.deepEqual(heard, [1, "hello", 2, "hello"]);
});

test("who has stopped listening hears nothing more", () => {
  const speaker = new Speaker();
  let heard = 0;
  const stop = speaker.on("done", () => {
    heard += 1;
    stop();
  });
  speaker.tell("done");
  speaker.tell("done");
  assert.equal(heard, 1);
});
