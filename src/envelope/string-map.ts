import { invalid } from "./invalid.ts";

/** Far above what S3 metadata or a map of four base64 texts can hold. */
const MAX_CHARACTERS = 65_536;

/**
 * Strictly: strings only, no name twice, no lone surrogates. No prototype: `__proto__` is a name like any.
 * @param integers the names whose value may be a whole number as well: its digits
 */
export function parseStringMap(
  text: string,
  what: string,
  integers: readonly string[] = [],
): Record<string, string> {
  if (text.length > MAX_CHARACTERS) throw invalid(`${what} is too long`);
  const value = parseJson(text, what);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid(`${what} is not a JSON object`);
  const map = emptyMap();
  const entries: [string, unknown][] = Object.entries(value);
  let strings = 0;
  for (const [name, found] of entries) {
    const digits = integers.includes(name) ? digitsOf(text, name, found) : undefined;
    strings += digits === undefined ? 2 : 1;
    const entry = digits ?? found;
    if (typeof entry !== "string") throw invalid(`${what} holds something not a string`);
    if (!name.isWellFormed() || !entry.isWellFormed())
      throw invalid(`${what} holds text that is not valid Unicode`);
    map[name] = entry;
  }
  // JSON.parse keeps the last of two equal names. A pair is two strings, or one and a number.
  if (countStrings(text) !== strings) throw invalid(`${what} holds a name twice`);
  return map;
}

export function emptyMap(): Record<string, string> {
  const map: Record<string, string> = Object.create(null);
  return map;
}

/** In printable ASCII for HTTP headers. `=?` is escaped: it starts an encoded word (RFC 2047). */
export function stringifyAscii(map: Readonly<Record<string, string>>): string {
  return JSON.stringify(map)
    .replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .replaceAll("=?", "=\\u003f");
}

/** The digits of a whole number from 0, if written so: 128.0 is the same number, and not the same text. */
function digitsOf(text: string, name: string, value: unknown): string | undefined {
  if (!Number.isSafeInteger(value)) return undefined;
  return new RegExp(`"${name}"\\s*:\\s*${String(value)}\\s*[,}]`).test(text) && Number(value) >= 0
    ? String(value)
    : undefined;
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The runtime's own message quotes the text: it is left out, as a cause as well.
    throw invalid(`${what} is not JSON`);
  }
}

/** How many string tokens there are in text that is known to be JSON. */
function countStrings(json: string): number {
  let count = 0;
  for (let at = json.indexOf('"'); at !== -1; at = json.indexOf('"', at + 1)) {
    count += 1;
    for (at += 1; at < json.length && json[at] !== '"'; at += 1) {
      if (json[at] === "\\") at += 1;
    }
  }
  return count;
}
