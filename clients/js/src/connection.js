// JSON-RPC 2.0 over one WebSocket that mends itself.

import { Denied, Disconnected, HermesError, refusal, TooLarge } from "./errors.js";
import { opener } from "./opening.js";

/** @import { Api } from "../api.d.ts" */

const DENIED = 4401;
const FRAME_TOO_LARGE = [1009, 4009];
/** Milliseconds before another attempt to connect: they double with each failure. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 20_000;
/** Milliseconds without an answer after which a connection counts as lost, and without a word after which it is asked. */
const ANSWER_WITHIN = 20_000;
const QUIET_FOR = 45_000;

/** They change nothing, or the same again changes nothing more. */
const REPEATABLE = new Set([
  ...["session.list", "session.open", "session.close", "session.messages", "session.search", "session.ledger"],
  ...["session.update", "memory.list", "memory.update", "memory.switch", "message.rate", "branch.select"],
  ...["profile.list", "events.since", "account.features", "account.usage", "markdown.render", "rpc.discover"],
]);
/**
 * By an id that the caller has made, the server knows a repeat from another request.
 * @type {Record<string, string>}
 */
const KEYS = { "turn.start": "message_id", "message.edit": "new_id", "turn.stop": "run_id" };

/**
 * @template {keyof Api.Methods} Method
 * @typedef {Api.Methods[Method]["params"]} Params
 */
/**
 * @template {keyof Api.Methods} Method
 * @typedef {Api.Methods[Method]["result"]} Result
 */
/** @typedef {Api.Notifications["session.event"]} Notice */
/** @typedef {{ take: (result: any) => void, fail: (error: HermesError) => void, timer?: ReturnType<typeof setTimeout> }} Request */
/**
 * Who has a connection. `greet` asks, by `ask`, what is to be asked after a handshake, before anything else is; `ended`:
 * there will be no connection again.
 * @typedef {{ hear: (notice: Notice) => void, greet: () => Promise<void>, ended: (error: HermesError) => void }} Owner
 */

/**
 * Whether a request may be sent again where nobody knows whether it was carried out.
 * @param {string} method
 * @param {Record<string, unknown>} params
 */
export function mayRepeat(method, params) {
  return REPEATABLE.has(method) || params[KEYS[method] ?? ""] !== undefined;
}

/** Sends requests and hears notifications, in the order of the wire. `start` it, `close` it. */
export class Connection {
  /**
   * @param {string} url
   * @param {import("./opening.js").Options} options
   * @param {Owner} owner
   */
  constructor(url, options, owner) {
    this.open = opener(url, options);
    this.owner = owner;
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {Map<number, Request>} */
    this.waiting = new Map();
    this.lastId = 0;
    this.failures = 0;
    this.heardAt = 0;
    /** @type {HermesError | null} */
    this.end = null;
    this.isReady = false;
    /** @type {PromiseWithResolvers<void>} */
    this.ready = Promise.withResolvers();
    this.wake = () => {};
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.probing = undefined;
  }

  /** Resolves once there is a connection. Rejects with Denied, and with Disconnected where no handshake succeeds. */
  async start() {
    await this.attempt(true);
    this.probing = setInterval(() => this.probe(), QUIET_FOR / 3);
    await this.whenReady();
  }

  /** Ends it; what waits for an answer fails with Disconnected. */
  close() {
    this.finish(new Disconnected("The client is closed."));
    this.socket?.close(1000);
    this.lose(1000);
  }

  /**
   * Resolves with the result, which `take` gets before anything that follows on the wire. Waits for a connection, and
   * sends a request again that may be repeated. Rejects with Refused, Disconnected, Denied.
   * @template {keyof Api.Methods} Method
   * @param {Method} method
   * @param {Params<Method>} params
   * @param {(result: Result<Method>) => void} [take]
   * @returns {Promise<Result<Method>>}
   */
  async call(method, params, take) {
    for (;;) {
      await this.whenReady();
      try {
        return await this.ask(method, params, take);
      } catch (error) {
        if (!(error instanceof Disconnected) || this.end || !mayRepeat(method, params)) throw error;
      }
    }
  }

  /**
   * The same over the connection that is there, once.
   * @template {keyof Api.Methods} Method
   * @param {Method} method
   * @param {Params<Method>} params
   * @param {(result: Result<Method>) => void} [take]
   * @returns {Promise<Result<Method>>}
   */
  ask(method, params, take) {
    const { socket } = this;
    if (!socket) return Promise.reject(this.end ?? new Disconnected("There is no connection."));
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      // Several frames may arrive in one go: promises are told of the first after the last.
      /** @type {Request["take"]} */
      const accept = (result) => {
        take?.(result);
        resolve(result);
      };
      const request = { take: accept, fail: reject };
      this.waiting.set(id, request);
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
      this.watch(request, socket);
    });
  }

  async whenReady() {
    await this.ready.promise;
    if (this.end) throw this.end;
  }

  /**
   * Gives an unanswered connection up, unless it is still busy sending something large.
   * @param {Request} request
   * @param {WebSocket} socket
   */
  watch(request, socket) {
    const look = () => (socket.bufferedAmount ? this.watch(request, socket) : this.drop(socket));
    request.timer = setTimeout(look, ANSWER_WITHIN);
  }

  /** A connection that died without a word is only noticed by asking. */
  probe() {
    if (this.socket && Date.now() - this.heardAt > QUIET_FOR) this.ask("session.list", { limit: 1 }).catch(() => {});
  }

  /**
   * Makes a connection; keeps it, and its successors, from then on.
   * @param {boolean} isFirst
   */
  async attempt(isFirst = false) {
    try {
      await this.open((socket) => this.use(socket));
    } catch (error) {
      if (error instanceof Denied) this.finish(error);
      else if (!isFirst) this.again();
      if (isFirst) throw error;
    }
  }

  /** @param {WebSocket} socket */
  use(socket) {
    if (this.end) {
      socket.close(1000);
      return;
    }
    this.socket = socket;
    this.heardAt = Date.now();
    socket.onmessage = ({ data }) => socket === this.socket && this.receive(JSON.parse(data));
    socket.onclose = ({ code }) => socket === this.socket && this.lost(code);
    this.welcome(socket);
  }

  /** @param {WebSocket} socket */
  async welcome(socket) {
    try {
      await this.owner.greet();
      if (socket !== this.socket) return;
      this.failures = 0;
      this.isReady = true;
      this.ready.resolve();
    } catch {
      this.drop(socket); // lost, or too many commands: later
    }
  }

  /** @param {WebSocket} socket */
  drop(socket) {
    if (socket !== this.socket) return;
    socket.close();
    this.lost(1006);
  }

  /** @param {number} code */
  lost(code) {
    this.lose(code);
    if (code === DENIED) this.finish(new Denied("The token is not, or no longer, good."));
    else this.again();
  }

  /** @param {number} code */
  lose(code) {
    this.socket = null;
    if (this.isReady && !this.end) this.ready = Promise.withResolvers();
    this.isReady = false;
    let error = this.end ?? new Disconnected("The connection was lost before the answer.");
    if (code === DENIED) error = new Denied("The token is not, or no longer, good.");
    if (FRAME_TOO_LARGE.includes(code)) error = new TooLarge(-32002, "A request was larger than a frame may be.", {});
    for (const { fail, timer } of this.waiting.values()) {
      clearTimeout(timer);
      fail(error);
    }
    this.waiting.clear();
  }

  /** Half of the pause is chance, or all clients of a restarted server would come at once. */
  again() {
    if (this.end) return;
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.failures);
    this.failures += 1;
    const timer = setTimeout(() => this.attempt(), longest * (0.5 + Math.random() / 2));
    this.wake = () => clearTimeout(timer);
  }

  /** @param {HermesError} error */
  finish(error) {
    if (this.end) return;
    this.end = error;
    clearInterval(this.probing);
    this.wake();
    this.ready.resolve();
    this.owner.ended(error);
  }

  /** @param {any} frame */
  receive(frame) {
    this.heardAt = Date.now();
    if (frame.method) {
      if (frame.method === "session.event") this.owner.hear(frame.params);
      return;
    }
    const request = this.waiting.get(frame.id);
    if (!request) return;
    this.waiting.delete(frame.id);
    clearTimeout(request.timer);
    if (frame.error) request.fail(refusal(frame.error));
    else request.take(frame.result);
  }
}
