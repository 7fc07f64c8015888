// What can go wrong, as exceptions.

/** Whatever this package throws of its own. */
export class HermesError extends Error {}

/** The server said no. `code` and `data` are as in docs/api.md, "Errors". */
export class Refused extends HermesError {
  /**
   * @param {number} code
   * @param {string} message
   * @param {Record<string, unknown>} data
   */
  constructor(code, message, data) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** There is no such thing, or it is somebody else's. */
export class NotFound extends Refused {}

/** `data.limit` says what is allowed. */
export class TooLarge extends Refused {}

/** Wait `data.retry_after` seconds; where there is `data.quota` instead, make room. */
export class TooMany extends Refused {}

/** What the caller saw is no longer so; `data` says what is. */
export class Conflict extends Refused {}

/** The token, or the login, is not, or no longer, good. The client has closed. */
export class Denied extends HermesError {}

/** The connection is gone; whether a request that was not answered has been carried out is not known. */
export class Disconnected extends HermesError {}

/** A turn has no answer, or one that broke off. `code` is RUN_ERROR's: docs/api.md, "Following an answer". */
export class RunFailed extends HermesError {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** @type {Record<number, typeof Refused>} */
const KINDS = { [-32001]: NotFound, [-32002]: TooLarge, [-32003]: TooMany, [-32004]: Conflict };

/**
 * The exception of a JSON-RPC error.
 * @param {{ code: number, message: string, data?: Record<string, unknown> }} error
 */
export function refusal({ code, message, data }) {
  const Kind = KINDS[code] ?? Refused;
  return new Kind(code, message, data ?? {});
}
