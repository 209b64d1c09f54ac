/**
 * A flat mapping of texts in YAML: the part of the language that every reader of YAML, 1.1 or 1.2, reads alike. What is
 * outside of it is refused, with the line and the way to write it. Source: YAML 1.2.2.
 */
import { decodeText } from "../dotenv/decode.ts";
import { isDotenvName } from "../dotenv/name.ts";
import { refusal } from "../dotenv/refusal.ts";
import type { Variables } from "../../base/secret.ts";
import { SizedVariables } from "../../base/start-size.ts";
import type { SizeLimit } from "../../base/start-size.ts";
import { readBlock } from "./block.ts";
import { refuseKey } from "./key.ts";
import { readPlain } from "./plain.ts";
import { readQuoted } from "./quoted.ts";

const BLANK_OR_COMMENT = /^ *(?:#|$)/;
const START = /^---(?: +#.*| *)$/;
const ENTRY = /^([A-Za-z_][A-Za-z0-9_]*)[ ]*:(?:$| +(?![ \t]))/;
// c-printable (5.1), and what only one of YAML 1.1 and 1.2 takes for a line end.
const UNPRINTABLE =
  /[^\t\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

/**
 * Texts in plain, single- or double-quoted form on one line, or as a block (`|`, `>`); comments; `---` before them.
 * Numbers, `true` and `false` keep their text. Tabs are taken in quotes, blocks and comments only.
 *
 * @throws SealexecError "data" with the line and at most a name; "cannot-execute" where they are more than a program can
 *   be started with
 */
export function parseYaml(bytes: Uint8Array, limit?: SizeLimit): Variables {
  const text = decodeText(bytes);
  const lines = text.split("\n");
  refuseUnprintable(lines);
  const variables = new SizedVariables(limit);
  let at = lineThatSays(lines, startOf(lines));
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const match = ENTRY.exec(line);
    const name = match?.[1];
    if (match === null || name === undefined || !isDotenvName(name)) return refuseKey(line, at + 1);
    if (variables.has(name)) throw refusal(at + 1, `${name} is there twice`, "keep one of the two");
    const { value, next } = readValue(lines, at, name, line.slice(match[0].length));
    if (value.includes("\0"))
      throw refusal(at + 1, `${name}: NUL`, "no environment variable can hold it: encode it as base64");
    variables.set(name, value);
    at = lineThatSays(lines, next);
  }
  return variables.all;
}

interface Value {
  readonly value: string;
  /** the index of the line behind it */
  readonly next: number;
}

function readValue(lines: readonly string[], at: number, name: string, rest: string): Value {
  const place = { line: at + 1, name };
  const first = rest.charAt(0);
  if (first === "|" || first === ">") return readBlock(lines, at, rest, place);
  if (first === "'" || first === '"') return { value: readQuoted(rest, place), next: at + 1 };
  const next = lineThatSays(lines, at + 1);
  const isContinued = /^[ \t]|^-(?: |$)/.test(lines[next] ?? "");
  return { value: readPlain(rest, isContinued, place), next };
}

function startOf(lines: readonly string[]): number {
  const first = lineThatSays(lines, 0);
  return START.test(lines[first] ?? "") ? first + 1 : first;
}

/** The index of the next line that is neither blank nor a comment. */
function lineThatSays(lines: readonly string[], from: number): number {
  let at = from;
  while (at < lines.length && BLANK_OR_COMMENT.test(lines[at] ?? "")) at += 1;
  return at;
}

function refuseUnprintable(lines: readonly string[]): void {
  const index = lines.findIndex((line) => UNPRINTABLE.test(line));
  if (index === -1) return;
  throw refusal(
    index + 1,
    "control character, unicode line separator or byte order mark",
    'write it as "\\xNN" or "\\uNNNN" in double quotes',
  );
}
