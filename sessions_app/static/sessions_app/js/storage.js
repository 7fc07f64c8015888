// What this browser keeps for this user: drafts by chat, messages sent but not yet acknowledged, and small choices.
// A browser that refuses storage (private windows, full disk) costs the draft, not the chat.
//
// The rule: each belongs to the tab it was written in, until it is sent, emptied or logged out. So two tabs never write
// over each other's words, and a page that is loaded again finds its own. What a tab that is gone has left, another takes
// over: a draft the next page that opens the same chat (or a new one) with an empty box, newest tab first; a message the
// next page that is loaded. It moves, so that it is in one tab at a time.
//
// 1. A tab's id is in sessionStorage while no page of it is alive: a page takes it out when it is loaded and puts it back
//    when it is left. For a browser gives a duplicated tab a copy of sessionStorage, and two live pages must not share one.
// 2. A page holds a lock named after its tab as long as it lives. So the others know which tabs are gone.
// 3. There are locks on HTTPS and loopback only. Without them all other tabs count as gone. No words are lost by that:
//    a page that is left keeps its draft once more.

const TAB = "hermes:tab";

export class Storage {
  /**
   * @param {string} user id; drafts of two people at one browser do not mix.
   * @param {Window & typeof globalThis} browser
   */
  constructor(user, browser = window) {
    this.browser = browser;
    this.prefix = `hermes:${user}:`;
    this.sealed = false;
    this.tab = this.takeTab() ?? newTab();
    browser.navigator.locks?.request(this.lockOf(this.tab), () => new Promise(() => {})).catch(() => {});
    browser.addEventListener("pagehide", () => this.leaveTab());
    browser.addEventListener("pageshow", ({ persisted }) => persisted && this.resume());
  }

  /** The page was kept while another was shown, and is shown again. */
  resume() {
    this.takeTab();
    this.sealed = false;
  }

  /** @param {string | null} session */
  draft(session) {
    return this.read(this.draftName(session)) ?? "";
  }

  /**
   * @param {string | null} session
   * @param {string | null} text
   */
  keepDraft(session, text) {
    this.write(this.draftName(session), text || null);
  }

  /** @param {string | null} session */
  draftName(session) {
    return `draft:${session ?? "new"}:${this.tab}`;
  }

  /**
   * Moves a draft for this chat from a tab that is gone to this one, if it `isWanted()` by then; resolves with its text.
   * @param {string | null} session
   * @param {() => boolean} isWanted
   */
  async takeOverDraft(session, isWanted) {
    const [name] = await this.orphans(`draft:${session ?? "new"}:`);
    if (!name || !isWanted()) return "";
    const text = this.read(name) ?? "";
    this.write(name, null);
    this.keepDraft(session, text);
    return text;
  }

  unsent() {
    return this.names("unsent:")
      .filter((name) => tabOf(name) === this.tab)
      .flatMap((name) => this.readEntry(name) ?? [])
      .sort((a, b) => a.at - b.at);
  }

  /** @param {Page.Entry} entry */
  keepUnsent(entry) {
    this.write(`unsent:${entry.message_id}:${this.tab}`, JSON.stringify(entry));
  }

  /** @param {string} id */
  dropUnsent(id) {
    this.write(`unsent:${id}:${this.tab}`, null);
  }

  /** Moves the messages of tabs that are gone to this one. */
  async takeOverUnsent() {
    for (const name of await this.orphans("unsent:")) {
      const entry = this.readEntry(name);
      this.write(name, null);
      if (entry) this.keepUnsent(entry);
    }
  }

  /**
   * Whether a tab has a draft for a chat.
   * @param {string} session
   */
  hasDraft(session) {
    return this.names(`draft:${session}:`).length > 0;
  }

  /** For logging out: what was typed here stays with nobody. What was chosen for the look of the page stays. */
  clear() {
    for (const kind of ["draft:", "unsent:", "unread:"]) for (const name of this.names(kind)) this.write(name, null);
    this.seal();
  }

  /** Keeps no more of what is on this page. */
  seal() {
    this.sealed = true;
  }

  /**
   * The names of what tabs that are gone have left, newest tab first.
   * @param {string} start
   */
  async orphans(start) {
    const alive = await this.liveTabs();
    const left = this.names(start).filter((name) => !alive.has(tabOf(name)));
    return left.sort((a, b) => (tabOf(a) < tabOf(b) ? 1 : -1));
  }

  async liveTabs() {
    const { held = [], pending = [] } = (await this.browser.navigator.locks?.query().catch(() => null)) ?? {};
    const locked = new Set([...held, ...pending].map((lock) => lock.name));
    return { has: (/** @type {string} */ tab) => tab === this.tab || locked.has(this.lockOf(tab)) };
  }

  /** @param {string} tab */
  lockOf(tab) {
    return `${this.prefix}${tab}`;
  }

  /** @param {string} start */
  names(start) {
    try {
      const prefix = this.prefix + start;
      return Object.keys(this.browser.localStorage)
        .filter((key) => key.startsWith(prefix))
        .map((key) => key.slice(this.prefix.length));
    } catch {
      return [];
    }
  }

  /** @param {string} name */
  readEntry(name) {
    /** @type {Page.Entry | null} */
    const entry = JSON.parse(this.read(name) ?? "null");
    return entry;
  }

  /** @param {string} name */
  read(name) {
    try {
      return this.browser.localStorage.getItem(this.prefix + name);
    } catch {
      return null;
    }
  }

  /**
   * @param {string} name
   * @param {string | null} value
   */
  write(name, value) {
    if (this.sealed) return;
    try {
      if (value === null) this.browser.localStorage.removeItem(this.prefix + name);
      else this.browser.localStorage.setItem(this.prefix + name, value);
    } catch {
      // Full or forbidden: nothing to be done about it here.
    }
  }

  /** The tab that a page before this one has left, which is this page's from here on. */
  takeTab() {
    try {
      const tab = this.browser.sessionStorage.getItem(TAB);
      this.browser.sessionStorage.removeItem(TAB);
      return tab;
    } catch {
      return null;
    }
  }

  leaveTab() {
    try {
      this.browser.sessionStorage.setItem(TAB, this.tab);
    } catch {
      // As above: the draft is taken over all the same, since this tab's lock is free.
    }
  }
}

/**
 * The tab is the last part of each name.
 * @param {string} name
 */
const tabOf = (name) => name.slice(name.lastIndexOf(":") + 1);

/** Ids rise with the time at which their tab was opened. */
const newTab = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
