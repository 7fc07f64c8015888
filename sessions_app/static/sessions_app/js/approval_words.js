// Calls of tools that wait for a person, in words and in full. Plain functions, no page.

/** What turns text round or is not seen: who decides must see that it is there. (Two joiners are part of words.) */
const HIDDEN = /(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** @param {string} text */
export const visible = (text) => text.replaceAll(HIDDEN, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);

/**
 * What a call is given, each argument by its name. One row without a name where it is no JSON object.
 * @param {string} args the model's own JSON text
 * @returns {[name: string, value: string][]}
 */
export function argumentRows(args) {
  const given = parsed(args);
  if (typeof given !== "object" || given === null || Array.isArray(given)) return [["", visible(args)]];
  return Object.entries(given).map(([name, value]) => [
    visible(name),
    visible(typeof value === "string" ? value : JSON.stringify(value, null, 2)),
  ]);
}

/**
 * All that a call is given, laid out where that shows all of it, else as the model has written it: a name that is there
 * twice, or a number that cannot be held, would be another one.
 * @param {string} args
 */
export function inFull(args) {
  const given = parsed(args);
  const isWhole = given !== undefined && JSON.stringify(given) === withoutBlanks(args);
  return visible(isWhole ? JSON.stringify(given, null, 2) : args);
}

/**
 * @param {string} args
 * @returns {unknown} undefined where it is no JSON
 */
function parsed(args) {
  try {
    return JSON.parse(args);
  } catch {
    return undefined;
  }
}

/** @param {string} json */
const withoutBlanks = (json) => json.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/gu, "$1");
