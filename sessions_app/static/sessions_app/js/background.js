// What goes on beside the chat: notifications, the line that says when room becomes scarce, the gauge of the model's window.

import { Gauge } from "./gauge.js";
import { Journal } from "./journal.js";
import { Notifications } from "./notifications.js";
import { Preferences } from "./preferences.js";
import { QuotaLine } from "./quota.js";
import { Socket } from "./socket.js";

/**
 * Begins it, once; returns the gauge, which is shown where a chat is. `title` names a chat, `go` shows it.
 * @param {{
 *   socket: Socket, journal: Journal, preferences: Preferences, title(session: string): string,
 *   go(session: string): void, summarise(): void,
 * }} page
 */
export function startBackground({ socket, journal, preferences, title, go, summarise }) {
  new QuotaLine(socket, journal);
  new Notifications({ journal, preferences, title, go });
  return new Gauge(summarise);
}
