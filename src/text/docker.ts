/** `docker run --env-file`: github.com/docker/cli, pkg/kvfile/kvfile.go (28.x), parseKeyValueFile. */
import { decodeUtf8, refusal } from "./dotenv/decode.ts";
import type { Variables } from "../base/secret.ts";
import { SizedVariables, type SizeLimit } from "../base/start-size.ts";

/** The value of a variable that is set already; undefined: it is not. */
export type LookUp = (name: string) => string | undefined;

const BYTE_ORDER_MARK = "\uFEFF";
// Go's unicode.IsSpace, which is not quite the \s of ECMAScript.
const LEADING_SPACE = /^[\t\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
// Go's bufio.MaxScanTokenSize: a line fills the buffer of the scanner with its line feed.
const LONGEST_LINE_BYTES = 64 * 1024 - 1;

/**
 * Values are verbatim: quotes, `#`, trailing blanks. Leading white space, empty lines, lines that begin with
 * `#` and one CR before the line feed are left out. A name without `=` takes the value that is set, or is
 * left out. The last one of a name wins, as with Docker. What Docker's engine could not start is refused: a
 * NUL, and a name with a control character, white space of any kind or a byte order mark.
 */
export function parseDocker(bytes: Uint8Array, lookUp: LookUp, limit?: SizeLimit): Variables {
  const variables = new SizedVariables(limit);
  const text = decodeUtf8(bytes);
  const start = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  let number = 0;
  for (const whole of linesOf(text.slice(start))) {
    number += 1;
    checkLength(whole, number);
    const line = whole.replace(/\r$/, "").replace(LEADING_SPACE, "");
    if (line === "" || line.startsWith("#")) continue;
    const equals = line.indexOf("=");
    const name = checkName(equals === -1 ? line : line.slice(0, equals), number);
    const value = equals === -1 ? lookUp(name) : line.slice(equals + 1);
    if (value === undefined) continue;
    checkValue(name, value, number, equals === -1);
    variables.set(name, value);
  }
  return variables.all;
}

/** One after the other: an array of all would be many times as large as the text. */
function* linesOf(text: string): Generator<string, void, undefined> {
  for (let start = 0; start <= text.length;) {
    const end = text.indexOf("\n", start);
    yield text.slice(start, end === -1 ? text.length : end);
    if (end === -1) return;
    start = end + 1;
  }
}

function checkLength(line: string, number: number): void {
  if (line.length * 3 <= LONGEST_LINE_BYTES || Buffer.byteLength(line) <= LONGEST_LINE_BYTES) return;
  throw refusal(number, "longer than 65,535 bytes", "docker takes no longer line: use another format");
}

function checkName(name: string, number: number): string {
  if (name === "") throw refusal(number, 'no variable name before "="', "write NAME=value");
  if (/[\s\u0085]/.test(name))
    throw refusal(number, "white space in the name", "write NAME=value, without blanks before the =");
  if (/\p{Cc}/u.test(name)) throw refusal(number, "control character in the name", "write NAME=value");
  return name;
}

function checkValue(name: string, value: string, number: number, isInherited: boolean): void {
  if (value.includes("\0")) throw refusal(number, `${name}: NUL`, "no environment variable can hold it");
  // What is not UTF-8 in our own environment has become this by now.
  if (!isInherited || !value.includes("\uFFFD")) return;
  const hint = "leave the line out: what is set is inherited anyway";
  throw refusal(number, `${name}: the value that is set is not valid UTF-8`, hint);
}
