// Which features of the site this user may use: others are for groups that they are not in.

import { Emitter } from "./events.js";
import { Disconnected, Refused, Socket } from "./socket.js";

export const NO_FILES = "Your account may not send files. Ask an administrator of this site for it.";

/**
 * As the page came, then asked for on each new connection, which is told of changes from then on. Tells "change".
 * @extends {Emitter<{ change: undefined }>}
 */
export class Features extends Emitter {
  /**
   * @param {Socket} socket
   * @param {Api.FeaturesResult["features"]} list
   */
  constructor(socket, list) {
    super();
    this.socket = socket;
    this.list = list;
    socket.on("state", () => socket.state === "open" && this.load());
    socket.on("account", ({ features }) => this.take(features));
  }

  /** Where that fails all stays as it was: a later connection asks again. */
  async load() {
    try {
      this.take((await this.socket.call("account.features", {})).features);
    } catch (error) {
      if (!(error instanceof Refused || error instanceof Disconnected)) throw error;
    }
  }

  /** @param {Api.FeaturesResult["features"]} list */
  take(list) {
    this.list = list;
    this.tell("change");
  }

  /** @param {Api.FeaturesResult["features"][number]} feature */
  has(feature) {
    return this.list.includes(feature);
  }
}
