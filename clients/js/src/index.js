// A client of Hermes Site, for browsers and for Node.

export { Chat } from "./chat.js";
export { Client, connect } from "./client.js";
export {
  Conflict,
  Denied,
  Disconnected,
  HermesError,
  NotFound,
  Refused,
  RunFailed,
  TooLarge,
  TooMany,
} from "./errors.js";
export { Run } from "./run.js";
