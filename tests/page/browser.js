// A browser, as far as the state of the page needs one: storage, locks, sockets. Two tabs of it share what tabs share.

/** localStorage or sessionStorage: its entries are its own properties. */
class Kept {
  /** @param {string} name */
  getItem(name) {
    /** @type {unknown} */
    const value = Reflect.get(this, name);
    return typeof value === "string" ? value : null;
  }

  /** @param {string} name @param {string} value */
  setItem(name, value) {
    Reflect.set(this, name, value);
  }

  /** @param {string} name */
  removeItem(name) {
    Reflect.deleteProperty(this, name);
  }
}

/** One end of a WebSocket; the other one is its `Server`. */
class FakeWebSocket {
  bufferedAmount = 0;
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {((event: { data: string }) => void) | null} */
  onmessage = null;
  /** @type {((event: { code: number }) => void) | null} */
  onclose = null;

  /** @param {import("./server.js").Server | undefined} server */
  constructor(server) {
    this.server = server;
    server?.connections.push(this);
  }

  /** @param {string} data */
  send(data) {
    this.server?.receive(this, JSON.parse(data));
  }

  close() {
    this.server?.closed.add(this);
  }
}

/** What the tabs of one browser share. */
export class Browser {
  localStorage = new Kept();
  /** @type {Set<string>} */
  locks = new Set();

  /**
   * A new tab; `sessionStorage` is a copy of another tab's where that one was duplicated.
   * @param {{ server?: import("./server.js").Server, sessionStorage?: Kept, hasLocks?: boolean }} [parts]
   */
  tab({ server, sessionStorage = new Kept(), hasLocks = true } = {}) {
    return new Tab(this, sessionStorage, hasLocks, server);
  }
}

/** A tab, in the place of `window`: only what the modules under test ask of it is there. */
class Tab extends EventTarget {
  document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  /** @type {string[]} */
  held = [];

  /**
   * @param {Browser} browser
   * @param {Kept} sessionStorage
   * @param {boolean} hasLocks
   * @param {import("./server.js").Server} [server]
   */
  constructor(browser, sessionStorage, hasLocks, server) {
    super();
    this.browser = browser;
    this.localStorage = browser.localStorage;
    this.sessionStorage = sessionStorage;
    this.navigator = hasLocks ? { locks: this.lockManager() } : {};
    this.WebSocket = class extends FakeWebSocket {
      constructor() {
        super(server);
      }
    };
  }

  lockManager() {
    return {
      /**
       * @param {string} name
       * @param {[options: { ifAvailable?: boolean }, use: (lock: object | null) => unknown] | [use: (lock: object | null) => unknown]} more
       */
      request: async (name, ...more) => {
        const [options, use] = more.length === 2 ? more : [{}, more[0]];
        if (options.ifAvailable && this.browser.locks.has(name)) return use(null);
        this.held.push(name);
        this.browser.locks.add(name);
        await use({ name });
        return this.browser.locks.delete(name);
      },
      query: async () => ({ held: [...this.browser.locks].map((name) => ({ name })) }),
    };
  }

  /** The page is left, for good or for another one in the same tab. */
  leave() {
    this.dispatchEvent(new Event("pagehide"));
    for (const name of this.held) this.browser.locks.delete(name);
  }

  /** As `window`: a module that asks for more fails. */
  get window() {
    return /** @type {Window & typeof globalThis} */ (/** @type {unknown} */ (this));
  }
}
