// Messages on their way to the server. Each has its `message_id` from the start and keeps it over lost connections and
// reloads, so that sending again is the same turn and not another one. Fires "change", and "sent" with {entry, result}.
//
// An entry: {message_id, session_id (null: for a chat that is still to be made), text, at, state: "sending" | "limited" | "refused", until?, problem?, taken?}.

import { Disconnected } from "./socket.js";
import { CONFLICT, explain, isUsedUp, TOO_MANY } from "./words.js";

/** crypto.randomUUID only exists on HTTPS and loopback. */
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export class Outbox extends EventTarget {
  constructor(socket, storage) {
    super();
    this.socket = socket;
    this.storage = storage;
    this.entries = storage.unsent();
    this.working = false;
    socket.addEventListener("state", () => this.work());
  }

  of(sessionId) {
    return this.entries.filter((entry) => entry.session_id === sessionId);
  }

  /** Queues a text for sending; from here on it survives a reload. */
  send(sessionId, text) {
    const entry = { message_id: newId(), session_id: sessionId, text, at: Date.now(), state: "sending" };
    this.storage.keepUnsent(entry);
    this.entries.push(entry);
    this.changed();
    this.work();
  }

  /** What was said before there was a chat goes to this one. */
  adopt(sessionId) {
    for (const entry of this.of(null)) {
      entry.session_id = sessionId;
      this.storage.keepUnsent(entry);
    }
    this.changed();
    this.work();
  }

  /** Gives an entry up; the caller has its text. */
  drop(entry) {
    this.storage.dropUnsent(entry.message_id);
    this.entries = this.entries.filter((other) => other.message_id !== entry.message_id);
    this.changed();
  }

  async work() {
    if (this.working) return;
    this.working = true;
    while (this.socket.state === "open") {
      const entry = this.next();
      if (!entry || !(await this.deliver(entry))) break;
    }
    this.working = false;
  }

  /** The oldest that may go now; one that has to wait holds back those after it in its chat. */
  next() {
    return this.entries.find((entry) => entry.session_id && entry.state === "sending" && !this.holds(entry.session_id));
  }

  holds(sessionId) {
    return this.of(sessionId).some((entry) => entry.state === "limited");
  }

  async deliver(entry) {
    const { message_id, session_id, text } = entry;
    try {
      const result = await this.socket.call("turn.start", { session_id, text, message_id });
      this.drop(entry);
      this.dispatchEvent(new CustomEvent("sent", { detail: { entry, result } }));
      return true;
    } catch (error) {
      if (error instanceof Disconnected) return false;
      this.refuse(entry, error);
      return true;
    }
  }

  refuse(entry, error) {
    if (error.code === TOO_MANY && !isUsedUp(error)) {
      const seconds = error.data.retry_after ?? 1;
      Object.assign(entry, { state: "limited", until: Date.now() + seconds * 1000 });
      setTimeout(() => this.retry(entry), seconds * 1000);
    } else {
      // Kept as refused, so that it does not send itself again after a reload.
      Object.assign(entry, { state: "refused", problem: explain(error), taken: error.code === CONFLICT });
      this.storage.keepUnsent(entry);
    }
    this.changed();
  }

  /** Sends again what was limited or refused: as the same message, unless its id is taken. */
  retry(entry) {
    if (entry.taken) {
      this.storage.dropUnsent(entry.message_id);
      Object.assign(entry, { message_id: newId(), taken: false });
    }
    entry.state = "sending";
    this.storage.keepUnsent(entry);
    this.changed();
    this.work();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}
