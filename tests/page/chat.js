import { Conversation } from "../../sessions_app/static/sessions_app/js/conversation.js";
import { Markdown } from "../../sessions_app/static/sessions_app/js/markdown.js";
import { CHAT, connect, opened, settled } from "./server.js";

/** A chat that is opened, as the server answers; and what it says to everybody. */
export async function open(answer = opened()) {
  const { server, socket, journal } = await connect();
  server.on("session.open", () => answer);
  server.on("session.close", () => ({}));
  server.on("markdown.render", ({ texts }) => ({ html: texts }));
  const markdown = new Markdown(socket, 1_000, (change) => change());
  const chat = new Conversation({ socket, journal, markdown, id: CHAT });
  /** @type {string[]} */
  const said = [];
  chat.on("said", (words) => said.push(words));
  chat.refresh();
  await settled();
  return { server, chat, said };
}
