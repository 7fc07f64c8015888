// How a WebSocket is opened as somebody: by a header, by a ticket, or by the browser's own cookie.

import { Denied, Disconnected } from "./errors.js";

/**
 * `token`: an API token; without one a browser's login counts, on the site itself. `ticket`: another way to get a ticket
 * for each handshake than to ask the site for it with the token. `WebSocket`, `fetch`: others than the environment's.
 * @typedef {{ token?: string, ticket?: () => Promise<string>, WebSocket?: any, fetch?: typeof globalThis.fetch }} Options
 */

const HANDSHAKE_WITHIN = 20_000;
const PATH = "ws/chat/";

/** @typedef {(socket: WebSocket) => void} Use */

/**
 * Returns what opens a WebSocket and has it used, before anything comes over it. It rejects with Denied or Disconnected.
 * @param {string} url
 * @param {Options} options
 * @returns {(use: Use) => Promise<void>}
 */
export function opener(url, { token, ticket, WebSocket = globalThis.WebSocket, fetch = globalThis.fetch }) {
  if (ticket) return async (use) => opened(new WebSocket(withTicket(url, await ticket())), use);
  if (!token) return (use) => opened(new WebSocket(url), use);
  const headers = { Authorization: `Bearer ${token}` };
  if (takesHeaders()) return (use) => opened(new WebSocket(url, { headers }), use);
  return async (use) => opened(new WebSocket(withTicket(url, await ticketOf(url, headers, fetch))), use);
}

/** Whether the environment's WebSocket is undici's, which takes headers; a browser's does not. */
const takesHeaders = () => "process" in globalThis && !("document" in globalThis);

/**
 * @param {string} url
 * @param {string} ticket
 */
function withTicket(url, ticket) {
  const address = new URL(url);
  address.searchParams.set("ticket", ticket);
  return address.href;
}

/**
 * @param {string} url
 * @param {Record<string, string>} headers
 * @param {typeof globalThis.fetch} fetch
 */
async function ticketOf(url, headers, fetch) {
  const address = new URL(url);
  address.protocol = address.protocol.replace("ws", "http");
  address.pathname = `${address.pathname.slice(0, -PATH.length)}api/ticket`;
  const answer = await fetch(address, { method: "POST", headers }).catch((error) => {
    throw new Disconnected(`There is no ticket: ${error.message}`);
  });
  if (answer.status === 401) throw new Denied("The token is not, or no longer, good.");
  if (!answer.ok) throw new Disconnected(`There is no ticket: ${answer.status}.`);
  return /** @type {string} */ ((await answer.json()).ticket);
}

/**
 * @param {WebSocket} socket
 * @param {Use} use
 * @returns {Promise<void>}
 */
function opened(socket, use) {
  return new Promise((resolve, reject) => {
    const fail = () => {
      clearTimeout(timer);
      socket.close();
      reject(new Disconnected("There is no connection."));
    };
    const timer = setTimeout(fail, HANDSHAKE_WITHIN);
    socket.onerror = fail;
    socket.onclose = fail;
    socket.onopen = () => {
      clearTimeout(timer);
      socket.onerror = null;
      use(socket);
      resolve();
    };
  });
}
