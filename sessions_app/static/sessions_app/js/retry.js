// What the server could not do just now is tried again, with pauses that grow; what was shown stays, and so does the reader.

import { Emitter } from "./events.js";
import { Disconnected, growingPause, Refused, Socket } from "./socket.js";
import { CONFLICT, INVALID, isUsedUp, NOT_FOUND, TOO_LARGE } from "./words.js";

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;
/** The same request gets these again, however often it is made. */
const FINAL = [INVALID, NOT_FOUND, TOO_LARGE, CONFLICT];

/**
 * Whether the server may do later what it refused now.
 * @param {unknown} error
 * @returns {error is Refused}
 */
export const isPassing = (error) => error instanceof Refused && !FINAL.includes(error.code) && !isUsedUp(error);

/**
 * One thing that is tried until it works. Tells "change" when a pause begins or ends, and when it has worked.
 * @extends {Emitter<{ change: undefined }>}
 */
export class Retry extends Emitter {
  /** @param {Socket} socket */
  constructor(socket) {
    super();
    this.socket = socket;
    this.failures = 0;
    this.at = 0; // when the pause is over
    /** @type {(() => void) | null} */
    this.resume = null; // ends the pause
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.stopped = false;
  }

  /** Whether it has failed, and not worked since. */
  get troubled() {
    return this.failures > 0;
  }

  get pausing() {
    return this.resume !== null;
  }

  /**
   * Resolves with what `call` resolves with in the end; rejects where trying again cannot help, and after `stop`.
   * @template Result
   * @param {() => Promise<Result>} call
   */
  async until(call) {
    for (;;) {
      try {
        const result = await call();
        this.over();
        return result;
      } catch (error) {
        if (error instanceof Disconnected) await this.socket.ready();
        else if (isPassing(error)) await this.pause(error);
        else this.stop();
        if (this.stopped) throw error;
      }
    }
  }

  /**
   * Resolves when it is time to try again.
   * @param {Refused} error
   * @returns {Promise<void>}
   */
  pause(error) {
    const delay = Math.max(
      (error.data.retry_after ?? 0) * 1000,
      growingPause(this.failures, FIRST_PAUSE, LONGEST_PAUSE),
    );
    this.failures += 1;
    this.at = Date.now() + delay;
    this.timer = setTimeout(() => this.now(), delay);
    return new Promise((resolve) => {
      this.resume = resolve;
      this.changed();
    });
  }

  /** Ends the pause. */
  now() {
    const { resume } = this;
    this.clear();
    resume?.();
    this.changed();
  }

  /** It has worked, or begins from the start: a pause under way leads to nothing. */
  over() {
    if (!this.troubled) return;
    this.clear();
    this.failures = 0;
    this.changed();
  }

  /** For good. */
  stop() {
    this.stopped = true;
    this.failures = 0;
    this.now();
  }

  clear() {
    clearTimeout(this.timer);
    this.resume = null;
  }

  changed() {
    this.tell("change");
  }
}
