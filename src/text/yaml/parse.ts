/**
 * A flat mapping of texts in YAML: the part of the language that every reader of YAML, 1.1 or 1.2, reads
 * alike. What is outside of it is refused, with the line and the way to write it. Source: YAML 1.2.2.
 */
import { decodeText, refusal } from "../dotenv/decode.ts";
import { isDotenvName } from "../dotenv/name.ts";
import type { Variables } from "../../base/secret.ts";
import { SizedVariables, type SizeLimit } from "../../base/start-size.ts";
import { lineThatSays, readScalar } from "./scalar.ts";

const FORM = "write NAME: value, one a line";
const START = /^---(?: +#.*| *)$/;
const ENTRY = /^([A-Za-z_][A-Za-z0-9_]*)[ ]*:(?:$| +(?![ \t]))/;
// c-printable (5.1), and what only one of YAML 1.1 and 1.2 takes for a line end.
const UNPRINTABLE =
  /[^\t\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

/** What a line that is no entry is instead, the first that fits. */
const MISTAKES: readonly (readonly [RegExp, string, string?])[] = [
  [/^[ ]*\t/, "tab in the indentation"],
  [
    /^ /,
    "indented line",
    "nested maps, lists and plain values that span lines are not taken: write NAME: | before a text of several lines",
  ],
  [/^---/, "second document, or a value behind ---", "one document a file"],
  [/^\.\.\.(?:[ \t]|$)/, "end of a document", "leave the ... out: one document a file"],
  [/^%/, "directive", "leave it out"],
  [/^-(?:[ \t]|$)/, "list"],
  [/^\?(?:[ \t]|$)/, "complex key"],
  [/^<<[ ]*:/, "merge key", "write out what it would merge"],
  [/^["']/, "quoted name", "write the name without quotes"],
  [/^[&*]/, "anchor or alias", "write the value out"],
  [/^!/, "tag"],
  [/^[[{]/, "flow collection"],
  [/^[A-Za-z_][A-Za-z0-9_]*[ ]*: *\t/, 'tab behind ":"'],
  [/^[A-Za-z_][A-Za-z0-9_]*:\S/, 'no blank behind ":"'],
  [
    /^(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*=/,
    'no ":" behind the name',
    "that is the form of a .env: leave ?format=yaml out",
  ],
  [/^__proto__[ ]*:/, "__proto__ cannot be set", "choose another name"],
  [/:(?:[ \t]|$)/, "invalid variable name", "letters, digits and _ only, not beginning with a digit"],
  [/^/, 'no ":" behind a name'],
];

/** The package `yaml` gets one scalar at a time: what nests never reaches it, and the limit holds. */
export function parseYaml(bytes: Uint8Array, limit?: SizeLimit): Variables {
  const lines = decodeText(bytes).split("\n");
  const unprintable = lines.findIndex((line) => UNPRINTABLE.test(line));
  if (unprintable !== -1) {
    const what = "control character, unicode line separator or byte order mark";
    throw refusal(unprintable + 1, what, 'write it as "\\xNN" or "\\uNNNN" in double quotes');
  }
  const variables = new SizedVariables(limit);
  const first = lineThatSays(lines, 0);
  let at = lineThatSays(lines, START.test(lines[first] ?? "") ? first + 1 : first);
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const [head = "", name = ""] = ENTRY.exec(line) ?? [];
    if (!isDotenvName(name)) {
      const [, what = "", hint = FORM] = MISTAKES.find(([form]) => form.test(line)) ?? [];
      throw refusal(at + 1, what, hint);
    }
    if (variables.has(name)) throw refusal(at + 1, `${name} is there twice`, "keep one of the two");
    const { value, next } = readScalar(lines, at, name, line.slice(head.length));
    if (value.includes("\0"))
      throw refusal(at + 1, `${name}: NUL`, "no environment variable can hold it: encode it as base64");
    variables.set(name, value);
    at = lineThatSays(lines, next);
  }
  return variables.all;
}
