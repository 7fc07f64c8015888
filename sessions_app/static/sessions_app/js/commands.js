// What can be done from the palette by its name.

/**
 * `words` are other names that it is found by; `keys` its shortcut; `isHere`: it is done to the open chat; `reason`: why
 * it cannot be done just now, empty where it can; `checked`: of a switch, whether it is on.
 * @typedef {{
 *   name: string, icon: string, act: () => void, words?: string, keys?: string, isHere?: boolean, reason?: string,
 *   checked?: boolean,
 * }} Command
 */

/**
 * Those in which each word of a query is the beginning of a word.
 * @template {{ name: string, words?: string }} Kind
 * @param {Kind[]} commands
 * @param {string} query
 */
export function matching(commands, query) {
  const wanted = wordsOf(query);
  return commands.filter(({ name, words = "" }) => {
    const known = wordsOf(`${name} ${words}`);
    return wanted.every((word) => known.some((other) => other.startsWith(word)));
  });
}

/** @param {string} text */
const wordsOf = (text) => text.toLowerCase().split(/\s+/u).filter(Boolean);
