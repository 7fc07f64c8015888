// Search in titles and in what was said. What is shown of it is the palette's.

import { Socket } from "./socket.js";

const TITLES = 6;
const HITS = 20;

/**
 * `here` are hits in the open chat, `said` those in others.
 * @typedef {{ titles: Api.SessionShape[], here: Api.HitShape[], said: Api.HitShape[] }} Found
 */

/**
 * Resolves with what was found, in chats that are archived, too; rejects as requests do.
 * @param {Socket} socket
 * @param {string} query
 * @param {string | null} open id of the open chat
 * @returns {Promise<Found>}
 */
export async function search(socket, query, open) {
  const [titled, archived, here, said] = await Promise.all([
    socket.call("session.list", { query, limit: TITLES }),
    socket.call("session.list", { query, limit: TITLES, archived: true }),
    open ? socket.call("session.search", { query, limit: HITS, session_id: open }) : { hits: [] },
    socket.call("session.search", { query, limit: HITS }),
  ]);
  return {
    titles: [...titled.sessions, ...archived.sessions].slice(0, TITLES),
    here: here.hits,
    said: said.hits.filter((hit) => hit.session_id !== open),
  };
}

/**
 * A text in pieces, each with whether it is marked.
 * @param {string} text
 * @param {number[][]} marks [start, end] of each, in characters as Python counts them
 * @returns {[piece: string, isMarked: boolean][]}
 */
export function piecesOf(text, marks) {
  const characters = Array.from(text);
  /** @type {[string, boolean][]} */
  const pieces = [];
  let at = 0;
  for (const [start = 0, end = 0] of marks) {
    pieces.push([characters.slice(at, start).join(""), false], [characters.slice(start, end).join(""), true]);
    at = end;
  }
  pieces.push([characters.slice(at).join(""), false]);
  return pieces.filter(([piece]) => piece);
}
