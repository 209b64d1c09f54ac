import { decodeText, refusal } from "./decode.ts";
import { isDotenvName } from "./name.ts";
import { findClosingQuote } from "./quote.ts";

/** One `NAME=value` as it stands in the text. */
export interface Assignment {
  /** the line on which it begins, from 1 */
  readonly line: number;
  readonly name: string;
  /** all of its lines, with a trailing comment, without the last line end */
  readonly text: string;
  /** the value by our own reading, to be compared with dotenv's */
  readonly value: string;
  /** it is not in quotes, and ends at a "#" */
  readonly isCut: boolean;
}

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=/;
const COLON_FORM = /^\s*(?:export\s+)?[\w.-]+:\s/;
const BLANK_OR_COMMENT = /^\s*(?:#|$)/;
const FIRST_OF_VALUE = /[^\S\n]*/y;
// dotenv's regular expression takes these for line ends: "# note<U+2028>A=x" sets A.
const LINE_SEPARATOR = /[\u2028\u2029]/;

/** One after the other, in linear time. Whatever is not blank, a comment or a whole assignment is refused. */
export function* scanAssignments(text: string): Generator<Assignment, void, undefined> {
  let line = 1;
  for (let start = 0; start < text.length; line += 1) {
    const end = lineEnd(text, start);
    const first = text.slice(start, end);
    if (BLANK_OR_COMMENT.test(first)) {
      refuseLineSeparator(first, line);
      start = end + 1;
    } else {
      const { name, sizeChars } = readHead(first, line);
      const read = readValue(text, { start, at: start + sizeChars, end, line });
      yield { line, name, text: text.slice(start, read.end), value: read.value, isCut: read.isCut };
      start = read.end + 1;
      line = read.lastLine;
    }
  }
}

/** `NAME (line 3)` of each whose unquoted value ends at a "#": a comment, or half of an unquoted password. */
export function findCutValues(bytes: Uint8Array): string[] {
  const cut = [...scanAssignments(decodeText(bytes))].filter(({ isCut }) => isCut);
  return cut.map(({ name, line }) => `${name} (line ${line})`);
}

interface Place {
  /** where the assignment begins */
  readonly start: number;
  /** just after its "=" */
  readonly at: number;
  /** the end of its first line */
  readonly end: number;
  readonly line: number;
}

interface Value {
  readonly value: string;
  /** the end of its last line */
  readonly end: number;
  readonly lastLine: number;
  readonly isCut: boolean;
}

function readHead(first: string, line: number): { name: string; sizeChars: number } {
  const match = ASSIGNMENT.exec(first);
  const name = match?.[1];
  if (match !== null && name !== undefined && isDotenvName(name)) return { name, sizeChars: match[0].length };
  if (name !== undefined)
    throw refusal(line, "__proto__ cannot be set from a .env file", "choose another name");
  if (first.startsWith("\uFEFF"))
    throw refusal(line, "byte order mark inside the file", "remove it; files may have been joined");
  if (COLON_FORM.test(first))
    throw refusal(line, 'no "=" in assignment', "write NAME=value; NAME: value is not taken");
  const equals = first.indexOf("=");
  if (equals === -1)
    throw refusal(line, 'no "=" in assignment', "quote values that span lines; begin comments with #");
  if (first.slice(0, equals).trim() === "")
    throw refusal(line, 'no variable name before "="', "write NAME=value");
  const hint = "letters, digits and _ only, not beginning with a digit; quote values that span lines";
  throw refusal(line, "invalid variable name", hint);
}

function readValue(text: string, place: Place): Value {
  FIRST_OF_VALUE.lastIndex = place.at;
  FIRST_OF_VALUE.exec(text);
  const open = FIRST_OF_VALUE.lastIndex;
  const quote = text.charAt(open);
  return quote === "'" || quote === '"' || quote === "`"
    ? readQuoted(text, place, quote, open)
    : readUnquoted(text, place);
}

function readQuoted(text: string, { start, line }: Place, quote: string, open: number): Value {
  const close = findClosingQuote(text, open, line);
  const end = lineEnd(text, close.at);
  refuseLineSeparator(text.slice(start, open), line);
  refuseLineSeparator(text.slice(close.at, end), close.line);
  const body = text.slice(open + 1, close.at);
  const value = quote === '"' ? body.replaceAll("\\n", "\n").replaceAll("\\r", "\r") : body;
  return { value, end, lastLine: close.line, isCut: false };
}

function readUnquoted(text: string, { start, at, end, line }: Place): Value {
  refuseLineSeparator(text.slice(start, end), line);
  const rest = text.slice(at, end);
  const comment = rest.indexOf("#");
  const isCut = comment !== -1;
  return { value: (isCut ? rest.slice(0, comment) : rest).trim(), end, lastLine: line, isCut };
}

function refuseLineSeparator(text: string, line: number): void {
  if (!LINE_SEPARATOR.test(text)) return;
  throw refusal(
    line,
    "unicode line separator outside quotes",
    "quote the value, or remove U+2028 and U+2029",
  );
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}
