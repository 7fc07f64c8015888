// What this browser keeps for this user: drafts by chat, and messages sent but not yet acknowledged.
// A browser that refuses storage (private windows, full disk) costs the draft, not the chat.

export class Storage {
  /** @param {string} user id; drafts of two people at one browser do not mix. */
  constructor(user) {
    this.prefix = `hermes:${user}:`;
  }

  draft(session) {
    return this.read(`draft:${session ?? "new"}`) ?? "";
  }

  keepDraft(session, text) {
    this.write(`draft:${session ?? "new"}`, text || null);
  }

  unsent() {
    return this.names("unsent:")
      .map((name) => this.read(name))
      .filter(Boolean)
      .map((text) => JSON.parse(text))
      .sort((a, b) => a.at - b.at);
  }

  keepUnsent(entry) {
    this.write(`unsent:${entry.message_id}`, JSON.stringify(entry));
  }

  dropUnsent(id) {
    this.write(`unsent:${id}`, null);
  }

  /** For logging out: what was typed here stays with nobody. */
  clear() {
    for (const name of this.names("")) this.write(name, null);
  }

  names(start) {
    try {
      const prefix = this.prefix + start;
      return Object.keys(localStorage)
        .filter((key) => key.startsWith(prefix))
        .map((key) => key.slice(this.prefix.length));
    } catch {
      return [];
    }
  }

  read(name) {
    try {
      return localStorage.getItem(this.prefix + name);
    } catch {
      return null;
    }
  }

  write(name, value) {
    try {
      if (value === null) localStorage.removeItem(this.prefix + name);
      else localStorage.setItem(this.prefix + name, value);
    } catch {
      // Full or forbidden: nothing to be done about it here.
    }
  }
}
