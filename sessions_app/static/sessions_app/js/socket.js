// JSON-RPC 2.0 over one WebSocket that mends itself.
//
// Events: "state" when `state` changes ("connecting", "open", "waiting" until `retryAt`, "full": too many connections of this
// user, so not before `retry`), "event" with the params of a session.event, "denied" when the login is no longer good.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 20_000;
const ANSWER_WITHIN = 20_000;
const QUIET_FOR = 45_000;
const DENIED = 4401;
const RESTARTING = 4012;
const TOO_MANY_CONNECTIONS = 4029;

/** Milliseconds. Doubles with each failure; half of it is chance, or all clients of a restarted server would come at once. */
export function growingPause(failures, first, longest) {
  return Math.min(longest, first * 2 ** failures) * (0.5 + Math.random() / 2);
}

/** The server said no: `code` and `data` as in the contract. */
export class Refused extends Error {
  constructor({ code, message, data }) {
    super(message);
    this.code = code;
    this.data = data ?? {};
  }
}

/** The connection went before the answer came; whether the request was carried out is not known. */
export class Disconnected extends Error {}

export class Socket extends EventTarget {
  constructor(url) {
    super();
    this.url = url;
    this.state = "connecting";
    this.retryAt = 0;
    this.socket = null;
    this.waiting = new Map();
    this.lastId = 0;
    this.failures = 0;
    this.heardAt = 0;
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.lost(1006));
    document.addEventListener("visibilitychange", () => this.wake());
    setInterval(() => this.probe(), QUIET_FOR / 3);
  }

  connect() {
    clearTimeout(this.timer);
    this.change("connecting");
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.timer = setTimeout(() => socket === this.socket && this.lost(1006), ANSWER_WITHIN);
    socket.onopen = () => {
      clearTimeout(this.timer);
      this.heardAt = Date.now();
      this.change("open");
    };
    socket.onmessage = ({ data }) => socket === this.socket && this.receive(JSON.parse(data));
    socket.onclose = ({ code }) => socket === this.socket && this.lost(code);
  }

  /** Sends a request; resolves with its result, rejects with Refused or Disconnected. */
  call(method, params = {}) {
    if (this.state !== "open") return Promise.reject(new Disconnected());
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, timer: null });
      this.socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
      this.watch(id);
    });
  }

  /** Gives an unanswered connection up, unless it is still busy sending something large. */
  watch(id) {
    const request = this.waiting.get(id);
    request.timer = setTimeout(() => (this.socket.bufferedAmount ? this.watch(id) : this.lost(1006)), ANSWER_WITHIN);
  }

  /** Resolves as soon as there is a connection. */
  ready() {
    if (this.state === "open") return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (this.state !== "open") return;
        this.removeEventListener("state", look);
        resolve();
      };
      this.addEventListener("state", look);
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

  receive(frame) {
    this.heardAt = Date.now();
    this.failures = 0;
    if (frame.method === "session.event") this.dispatchEvent(new CustomEvent("event", { detail: frame.params }));
    const request = this.waiting.get(frame.id);
    if (!request) return;
    this.waiting.delete(frame.id);
    clearTimeout(request.timer);
    if (frame.error) request.reject(new Refused(frame.error));
    else request.resolve(frame.result);
  }

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
    if (code === DENIED) {
      this.dispatchEvent(new Event("denied"));
      return;
    }
    if (code === TOO_MANY_CONNECTIONS) {
      this.change("full");
      return;
    }
    const delay =
      code === RESTARTING && this.failures === 0
        ? Math.random() * 250
        : growingPause(this.failures, FIRST_DELAY, LONGEST_DELAY);
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
    if (document.visibilityState !== "visible") return;
    this.hurry();
    this.probe();
  }

  change(state) {
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
