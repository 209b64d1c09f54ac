/**
 * One value: the package `yaml` finds its end and gives its text, as YAML 1.2 says. Of its errors only the
 * code and the place are used, as their messages quote the text.
 */
import { refusal } from "../dotenv/decode.ts";
import { CST, Lexer } from "./yaml.ts";

interface Scalar {
  readonly value: string;
  /** the index of the line after it */
  readonly next: number;
}

type Fail = (what: string, hint?: string) => never;

const BLANK_OR_COMMENT = /^ *(?:#|$)/;
/** What may follow a value on its line. */
const TAIL = /^(?: +#.*| *)$/;
const HEADER = /^([|>](?:([1-9])[+-]?|[+-]?([1-9]?)))(?: +#.*| *)$/;
// Not a text in one of YAML 1.1 and 1.2, or other than it looks (10.3.2; yaml.org/type/bool, /null).
const AMBIGUOUS = /^(?:y|n|yes|no|on|off|null|true|false|~)$/i;
/** Half of a surrogate pair is no character: other readers differ on what two of them are. */
const HALF_OF_A_PAIR = /\\(?:u|U0000)[dD][89a-fA-F]/;
const QUOTE = "write it in quotes";
// execve(2) takes 131,072 bytes of a variable, and no escape has more than ten characters (5.7): \U00000041.
const MOST_CHARACTERS = 10 * 131_072;

/** What begins a value that is no text. None of it reaches the package. */
const INDICATORS: readonly (readonly [RegExp, string])[] = [
  [/^[&*]/, "anchor or alias"],
  [/^!/, "tag"],
  [/^[[{]/, "flow collection"],
  [/^[\]},%@`]/, "a character that no plain value begins with"],
  [/^[-?:](?: |$)/, "a list or map, where a text is expected"],
];

/** The index of the next line that is neither blank nor a comment. */
export function lineThatSays(lines: readonly string[], from: number): number {
  let at = from;
  while (at < lines.length && BLANK_OR_COMMENT.test(lines[at] ?? "")) at += 1;
  return at;
}

/** @param rest what stands after `NAME: ` on the line `at` */
export function readScalar(lines: readonly string[], at: number, name: string, rest: string): Scalar {
  const fail: Fail = (what, hint = QUOTE) => {
    throw refusal(at + 1, `${name}: ${what}`, hint);
  };
  if (rest.length > MOST_CHARACTERS) tooLong(fail);
  if (/^[|>]/.test(rest)) return readBlock(lines, at, rest, fail);
  if (/^['"]/.test(rest)) return { value: readQuoted(rest, name, fail), next: at + 1 };
  const next = lineThatSays(lines, at + 1);
  const isEmpty = /^(?:#|$)/.test(rest);
  if (/^[ \t]|^-(?: |$)/.test(lines[next] ?? "")) {
    if (isEmpty) fail("a nested map or list", "the mapping is to be flat: write NAME: value, one a line");
    fail("a plain value that spans lines", `${QUOTE} on one line, or as a block: ${name}: |`);
  }
  if (isEmpty) fail("no value, which is null in YAML", `write ${name}: "" for an empty one`);
  return { value: readPlain(rest, fail), next };
}

function readPlain(rest: string, fail: Fail): string {
  for (const [form, what] of INDICATORS) if (form.test(rest)) fail(what);
  const [, , , , , , value = ""] = new Lexer().lex(`_: ${rest}\n`);
  const tail = rest.slice(value.length);
  if (/\t/.test(value) || /^ *\t/.test(tail)) fail("tab in a plain value");
  if (!TAIL.test(tail)) fail('":" in a plain value');
  if (AMBIGUOUS.test(value) && !["true", "false"].includes(value))
    fail("a plain value that YAML 1.1 and 1.2 read differently, or as null");
  return value;
}

function readQuoted(rest: string, name: string, fail: Fail): string {
  const isSingle = rest.startsWith("'");
  // A line alone: what is open at its end goes on to that end: no later line closes it.
  const [, , , , , source = ""] = new Lexer().lex(`_: ${rest}\n`);
  if (source.endsWith("\n"))
    fail("the quote is not closed on its line", `write \\n in double quotes, or a block: ${name}: |`);
  const how = isSingle ? "a single quote in single quotes twice" : 'a double quote in double quotes as \\"';
  if (!TAIL.test(rest.slice(source.length))) fail("text behind the closing quote", `write ${how}`);
  const refuse = (): never =>
    fail("an escape that YAML does not have", "write a backslash in double quotes as \\\\");
  if (!isSingle && HALF_OF_A_PAIR.test(source.replaceAll("\\\\", ""))) refuse();
  const type = isSingle ? "single-quoted-scalar" : "double-quoted-scalar";
  return CST.resolveAsScalar({ type, offset: 0, indent: 0, source }, true, refuse)?.value ?? "";
}

/** Before the package reads it, which takes a hundred bytes for each of a text's. */
function tooLong(fail: Fail): never {
  return fail("longer than a variable can be", "put large values into files");
}

/** Block scalars, section 8.1. */
function readBlock(lines: readonly string[], at: number, rest: string, fail: Fail): Scalar {
  const [, header = "", first = "", digit = first] = HEADER.exec(rest) ?? [];
  if (header === "") fail("text behind the sign of a block", "write the text on the next lines, indented");
  // To the first line that is not indented, or to the last line end.
  let end = at + 1;
  while (lines[end]?.startsWith(" ") || (lines[end] === "" && end < lines.length - 1)) end += 1;
  const indented = [...lines.slice(at + 1, end), ""].join("\n");
  if (indented.length > MOST_CHARACTERS) tooLong(fail);
  // With "+", as without it the lexer leaves out empty lines at the end that belong to the text.
  const [, , , , , , , , source = ""] = new Lexer().lex(`_: |${digit}+\n${indented}`);
  // The package takes such a text for empty.
  if (digit !== "" && /^[ \n]*$/.test(source) && source.includes(" ".repeat(Number(digit) + 1)))
    fail("a block of nothing but blanks", "write it in double quotes");
  const lineOf = (offset: number): number => at + 1 + source.slice(0, offset).split("\n").length;
  const refuse = (line: number): never => {
    throw refusal(line, "indented less than the block above it", "indent every line of a block alike");
  };
  const props: CST.SourceToken[] = [{ type: "block-scalar-header", offset: 0, indent: 0, source: header }];
  const token: CST.BlockScalar = { type: "block-scalar", offset: -header.length, indent: 0, props, source };
  const scalar = CST.resolveAsScalar(token, true, (offset, code) => {
    if (code !== "MISSING_CHAR" || digit !== "") refuse(lineOf(offset));
    const what = "an empty line above has more blanks than this one";
    throw refusal(lineOf(offset), what, "remove the blanks of empty lines");
  });
  const next = lineOf(source.length) - 1;
  if (/^[ \t]+[^ \t#]/.test(lines[next] ?? "")) refuse(next + 1);
  if (next === lines.length && source !== "" && !header.includes("-"))
    fail("the file ends inside a block, without a line end", "end the file with a line end");
  return { value: scalar?.value ?? "", next };
}
