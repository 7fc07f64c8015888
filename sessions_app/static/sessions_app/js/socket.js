// JSON-RPC 2.0 over one WebSocket that mends itself.

import { Emitter } from "./events.js";

const FIRST_DELAY = 500;
const LONGEST_DELAY = 20_000;
const ANSWER_WITHIN = 20_000;
const QUIET_FOR = 45_000;
const ABNORMAL = 1006;
const DENIED = 4401;
const RESTARTING = 4012;
const TOO_MANY_CONNECTIONS = 4029;

/**
 * What helps after an error: how long the longest text may be, in how many seconds to try again, which room is used up,
 * or which budget
 * and when it resets, which revision the chat has, which profile is not offered, which message's id is taken.
 * @typedef {{ limit?: number, retry_after?: number, quota?: unknown, budget?: string, resets_at?: string, revision?: number, profile?: number | null,
 *   message_id?: string }} ErrorData
 * @typedef {{ code: number, message: string, data?: ErrorData }} RpcError
 * @typedef {Api.Notifications["session.event"]} Notice
 * @typedef {{ method?: undefined, id: number | null, result?: unknown, error?: RpcError }} Response
 * @typedef {Api.Notifications["account.changed"]} Account
 * @typedef {{ method: "session.event", params: Notice, id?: undefined }
 *   | { method: "account.changed", params: Account, id?: undefined }} Notification
 */

/**
 * Milliseconds. Doubles with each failure; half of it is chance, or all clients of a restarted server would come at once.
 * @param {number} failures
 * @param {number} first
 * @param {number} longest
 */
export function growingPause(failures, first, longest) {
  return Math.min(longest, first * 2 ** failures) * (0.5 + Math.random() / 2);
}

/** The server said no: `code` and `data` as in the contract. */
export class Refused extends Error {
  /** @param {RpcError} error */
  constructor({ code, message, data }) {
    super(message);
    this.code = code;
    this.data = data ?? {};
  }
}

/** The connection went before the answer came; whether the request was carried out is not known. */
export class Disconnected extends Error {}

/**
 * A request without an answer yet.
 * @typedef {object} Request
 * @property {(result: unknown) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {ReturnType<typeof setTimeout>} [timer]
 */

/**
 * Events: "state" when `state` changes ("connecting", "open", "waiting" until `retryAt`, "full": too many connections of
 * this user, so not before `retry`), "event" with the params of a session.event, "account" with those of an account.changed, "denied" when the login is no longer good:
 * then `state` is so too.
 * @extends {Emitter<{ state: undefined, event: Notice, account: Account, denied: undefined }>}
 */
export class Socket extends Emitter {
  /**
   * @param {string} url
   * @param {Window & typeof globalThis} browser
   */
  constructor(url, browser = window) {
    super();
    this.url = url;
    this.browser = browser;
    /** @type {"connecting" | "open" | "waiting" | "full" | "denied"} */
    this.state = "connecting";
    this.retryAt = 0;
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {Map<number | null | undefined, Request>} */
    this.waiting = new Map();
    this.lastId = 0;
    this.failures = 0;
    this.isDoubted = false; // the login was refused, and nothing was heard since
    this.heardAt = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    browser.addEventListener("online", () => this.hurry());
    browser.addEventListener("offline", () => this.lost(ABNORMAL));
    browser.document.addEventListener("visibilitychange", () => this.wake());
    setInterval(() => this.probe(), QUIET_FOR / 3);
  }

  connect() {
    clearTimeout(this.timer);
    this.change("connecting");
    const socket = new this.browser.WebSocket(this.url);
    this.socket = socket;
    this.timer = setTimeout(() => socket === this.socket && this.lost(ABNORMAL), ANSWER_WITHIN);
    socket.onopen = () => {
      clearTimeout(this.timer);
      this.heardAt = Date.now();
      this.change("open");
    };
    socket.onmessage = ({ data }) => socket === this.socket && this.receive(JSON.parse(data));
    socket.onclose = ({ code }) => socket === this.socket && this.lost(code);
  }

  /**
   * Sends a request; resolves with its result, rejects with Refused or Disconnected.
   * @template {keyof Api.Methods} Method
   * @param {Method} method
   * @param {Api.Methods[Method]["params"]} params
   * @returns {Promise<Api.Methods[Method]["result"]>}
   */
  call(method, params) {
    const { socket } = this;
    if (this.state !== "open" || !socket) return Promise.reject(new Disconnected());
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      // The server keeps to its description: what answers this method is its result.
      /** @param {unknown} result */
      const take = (result) => resolve(/** @type {Api.Methods[Method]["result"]} */ (result));
      const request = { resolve: take, reject };
      this.waiting.set(id, request);
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
      this.watch(request, socket);
    });
  }

  /**
   * Gives an unanswered connection up, unless it is still busy sending something large.
   * @param {Request} request
   * @param {WebSocket} socket
   */
  watch(request, socket) {
    const look = () => (socket.bufferedAmount ? this.watch(request, socket) : this.lost(ABNORMAL));
    request.timer = setTimeout(look, ANSWER_WITHIN);
  }

  /**
   * Resolves as soon as there is a connection.
   * @returns {Promise<void>}
   */
  ready() {
    if (this.state === "open") return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.on("state", () => {
        if (this.state !== "open") return;
        stop();
        resolve();
      });
    });
  }

  /** Connects now: somebody asked for it. */
  retry() {
    if (this.state === "waiting" || this.state === "full") this.connect();
  }

  /** Connects now, where it would connect by itself. */
  hurry() {
    if (this.state === "waiting") this.connect();
  }

  /** @param {Response | Notification} frame */
  receive(frame) {
    this.heardAt = Date.now();
    this.failures = 0;
    this.isDoubted = false;
    if (frame.method === "session.event") this.tell("event", frame.params);
    else if (frame.method === "account.changed") this.tell("account", frame.params);
    else this.answer(frame);
  }

  /** @param {Response} frame */
  answer({ id, result, error }) {
    const request = this.waiting.get(id);
    if (!request) return;
    this.waiting.delete(id);
    clearTimeout(request.timer);
    if (error) request.reject(new Refused(error));
    else request.resolve(result);
  }

  /** @param {number} code */
  lost(code) {
    if (!this.socket) return;
    const socket = this.socket;
    this.socket = null;
    clearTimeout(this.timer);
    socket.close();
    for (const request of this.waiting.values()) {
      clearTimeout(request.timer);
      request.reject(new Disconnected());
    }
    this.waiting.clear();
    if (code === DENIED && this.isDoubted) this.deny();
    else if (code === TOO_MANY_CONNECTIONS) this.change("full");
    else this.connectLater(code);
  }

  /** For good: there will be no connection again, only another page. */
  deny() {
    this.state = "denied";
    this.tell("denied");
  }

  /**
   * After a refusal too, once: the browser may have a new login by then, as after a change of the password in another tab.
   * @param {number} code
   */
  connectLater(code) {
    this.isDoubted = code === DENIED;
    const isRestart = code === RESTARTING && this.failures === 0;
    const delay = isRestart ? Math.random() * 250 : growingPause(this.failures, FIRST_DELAY, LONGEST_DELAY);
    this.failures += 1;
    this.retryAt = Date.now() + delay;
    this.timer = setTimeout(() => this.connect(), delay);
    this.change("waiting");
  }

  /** A connection that died without a word is only noticed by asking. */
  probe() {
    if (this.state === "open" && Date.now() - this.heardAt > QUIET_FOR) {
      this.call("session.list", { limit: 1 }).catch(() => {});
    }
  }

  wake() {
    if (this.browser.document.visibilityState !== "visible") return;
    this.hurry();
    this.probe();
  }

  /** @param {Socket["state"]} state */
  change(state) {
    this.state = state;
    this.tell("state");
  }
}
