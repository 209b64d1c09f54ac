import { valueRefusal } from "./plain.ts";
import type { Place } from "./plain.ts";

const BEHIND = /^(?: +#.*| *)$/;

/** Escapes of one character (5.7). */
const ESCAPES: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  t: "\t",
  "\t": "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
  e: "\x1b",
  " ": " ",
  '"': '"',
  "/": "/",
  "\\": "\\",
  N: "\u0085",
  _: "\u00a0",
  L: "\u2028",
  P: "\u2029",
};

const DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/**
 * A single- or double-quoted scalar on one line (7.3.1, 7.3.2).
 *
 * @param rest from its quote to the end of the line
 */
export function readQuoted(rest: string, place: Place): string {
  const isSingle = rest.startsWith("'");
  const close = isSingle ? closeOfSingle(rest) : closeOfDouble(rest);
  if (close === -1) {
    throw valueRefusal(
      place,
      "the quote is not closed on its line",
      `write \\n in double quotes, or a block: ${place.name}: |`,
    );
  }
  if (!BEHIND.test(rest.slice(close + 1))) {
    throw valueRefusal(
      place,
      "text behind the closing quote",
      isSingle
        ? "write a single quote in single quotes twice"
        : 'write a double quote in double quotes as \\"',
    );
  }
  const body = rest.slice(1, close);
  return isSingle ? body.replaceAll("''", "'") : unescaped(body, place);
}

function closeOfSingle(rest: string): number {
  let at = rest.indexOf("'", 1);
  while (at !== -1 && rest[at + 1] === "'") at = rest.indexOf("'", at + 2);
  return at;
}

function closeOfDouble(rest: string): number {
  for (let at = 1; at < rest.length; at += 1) {
    if (rest[at] === "\\") at += 1;
    else if (rest[at] === '"') return at;
  }
  return -1;
}

function unescaped(body: string, place: Place): string {
  const parts: string[] = [];
  let from = 0;
  for (let slash = body.indexOf("\\"); slash !== -1; slash = body.indexOf("\\", from)) {
    const letter = body[slash + 1] ?? "";
    const digits = DIGITS[letter] ?? 0;
    const escaped =
      digits === 0 ? ESCAPES[letter] : character(body.slice(slash + 2, slash + 2 + digits), digits);
    if (escaped === undefined) {
      throw valueRefusal(
        place,
        "an escape that YAML does not have",
        "write a backslash in double quotes as \\\\",
      );
    }
    parts.push(body.slice(from, slash), escaped);
    from = slash + 2 + digits;
  }
  return parts.join("") + body.slice(from);
}

/** Half of a surrogate pair is no character: other readers differ on what two of them are. */
function character(hex: string, digits: number): string | undefined {
  if (hex.length !== digits || !/^[0-9a-fA-F]+$/.test(hex)) return undefined;
  const code = Number.parseInt(hex, 16);
  return code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? undefined : String.fromCodePoint(code);
}
