// The server's end of the page's socket: says what a test lets it say. And what it talks about.

import { mock } from "node:test";
import { Journal } from "../../sessions_app/static/sessions_app/js/journal.js";
import { Socket } from "../../sessions_app/static/sessions_app/js/socket.js";
import { Browser } from "./browser.js";

/** @typedef {keyof Api.Methods} Method */
/** @typedef {{ id: number, method: Method, params: Record<string, unknown> }} Request */

/** What a request is refused with. */
export class Refusal extends Error {
  /**
   * @param {number} code
   * @param {object} [data]
   */
  constructor(code, data) {
    super("No.");
    this.error = { code, message: "No.", data };
  }
}

export class Server {
  /** @type {{ onopen: (() => void) | null, onmessage: ((event: { data: string }) => void) | null, onclose: ((event: { code: number }) => void) | null, bufferedAmount: number }[]} */
  connections = [];
  /** @type {Set<unknown>} */
  closed = new Set();
  /** @type {Request[]} */
  requests = [];
  /** @type {Map<string, (params: never) => unknown>} */
  answers = new Map();

  /**
   * From here on, requests of this method get this answer: at once, or as soon as it resolves. Until then, none.
   * @template {Method} Name
   * @param {Name} method
   * @param {(params: Api.Methods[Name]["params"]) => Api.Methods[Name]["result"] | Promise<Api.Methods[Name]["result"]>} answer
   */
  on(method, answer) {
    this.answers.set(method, answer);
  }

  /** The connection in use. */
  get connection() {
    const last = this.connections.at(-1);
    if (!last) throw new Error("Nobody has connected.");
    return last;
  }

  /** Lets the last connection in. */
  open() {
    this.connection.onopen?.();
  }

  /** @param {number} code */
  close(code = 1006) {
    this.connection.onclose?.({ code });
  }

  /** The params of the requests of a method, in order.
   * @template {Method} Name
   * @param {Name} method
   */
  asked(method) {
    const found = this.requests.filter((request) => request.method === method).map(({ params }) => params);
    return /** @type {Api.Methods[Name]["params"][]} */ (/** @type {unknown} */ (found));
  }

  /**
   * @param {Server["connections"][number]} connection
   * @param {Request} request
   */
  async receive(connection, request) {
    this.requests.push(request);
    await null; // an answer never comes before its request is sent
    const answer = this.answers.get(request.method);
    if (!answer) return;
    /** @type {object} */
    let outcome;
    try {
      outcome = { result: await answer(/** @type {never} */ (request.params)) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      outcome = { error: error.error };
    }
    const data = JSON.stringify({ jsonrpc: "2.0", id: request.id, ...outcome });
    connection.onmessage?.({ data });
  }

  /** @param {Api.Notifications["session.event"]} params */
  tell(params) {
    const data = JSON.stringify({ jsonrpc: "2.0", method: "session.event", params });
    this.connection.onmessage?.({ data });
  }

  /** @param {Api.Notifications["account.changed"]} params */
  tellAccount(params) {
    const data = JSON.stringify({ jsonrpc: "2.0", method: "account.changed", params });
    this.connection.onmessage?.({ data });
  }

  /**
   * Tells the next fact.
   * @param {number} cursor
   * @param {Api.FactNotification["event"]} event
   * @param {string} session
   */
  fact(cursor, event, session = CHAT) {
    this.tell({ session_id: session, run_id: null, seq: null, cursor, event });
  }

  /**
   * Tells an event of the run.
   * @param {number | null} seq
   * @param {Page.RunEvent} event
   */
  run(seq, event) {
    this.tell({ session_id: CHAT, run_id: RUN, seq, event });
  }
}

/** Stops the clock: from here on time passes by `pass` alone. */
export function stopTheClock() {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: NOON });
}

export function startTheClock() {
  mock.timers.reset();
}

/** Lets so many milliseconds pass, and all that follows from them. */
export async function pass(milliseconds = 0) {
  mock.timers.tick(milliseconds);
  await settled();
}

/** Resolves when all that could be done without waiting is done. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A page that is connected. */
export async function connect() {
  const server = new Server();
  const tab = new Browser().tab({ server });
  const socket = new Socket("wss://chat.example.org/", tab.window);
  const journal = new Journal(socket);
  socket.connect();
  server.open();
  await settled();
  return { server, tab, socket, journal };
}

export const NOON = Date.parse("2026-11-27T12:00:00Z");
export const CHAT = "c0000000-0000-4000-8000-000000000000";
export const RUN = "a0000000-0000-4000-8000-000000000000";

/** @param {number} number */
export const id = (number) => `b0000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

/**
 * A message at a position, whose id is `id(position)`; the even ones are the user's.
 * @param {number} position
 * @param {Partial<Page.Message>} [more]
 * @returns {Page.Message}
 */
export function message(position, more) {
  return {
    id: id(position),
    position,
    role: position % 2 ? "assistant" : "user",
    text: `text ${position}`,
    status: "complete",
    created_at: new Date(NOON).toISOString(),
    alternatives: [],
    ...more,
  };
}

/**
 * A chat whose last activity was so many minutes ago.
 * @param {string} chat
 * @param {number} minutes
 * @param {Partial<Api.SessionShape>} [more]
 * @returns {Api.SessionShape}
 */
export function session(chat = CHAT, minutes = 0, more) {
  const at = new Date(NOON - minutes * 60_000).toISOString();
  const flags = { archived: false, pinned: false, memory: true, profile: 1, context: { tokens: null, limit: null } };
  return { id: chat, title: "", message_count: 0, revision: 0, created_at: at, updated_at: at, ...flags, ...more };
}

/**
 * What session.open answers.
 * @param {Partial<Api.OpenResult>} [more]
 * @returns {Api.OpenResult}
 */
export function opened(more) {
  return {
    session: session(),
    messages: [],
    has_more: false,
    run: null,
    queued: [],
    approvals: [],
    cursor: 0,
    ...more,
  };
}
