// A program with the JavaScript client: a turn in each of several sessions, given as JSON lists of address and session. It
// prints what it was told of each, as a line of JSON.

import { connect } from "../../../clients/js/src/index.js";

for (const [url, sessionId] of JSON.parse(process.argv[2] ?? "[]")) {
  const client = await connect(url, { token: process.env.HERMES_TOKEN ?? "" });
  const facts = client.facts();
  const chat = await client.open(sessionId);
  const run = await chat.send("What is 6*7?");
  const events = [];
  for await (const event of run) events.push(event);
  const names = [];
  for await (const fact of facts) {
    names.push(fact?.event.name);
    if (names.at(-1) === "turn.ended") break;
  }
  await client.call("session.list", { limit: 1 }); // what is cut behind the answer is noticed, too
  console.log(JSON.stringify({ events, names, message: run.message }));
  client.close();
}
