/** Block scalars of YAML 1.2.2, section 8.1: literal `|` and folded `>`, as the values of a mapping at column 0. */
import { refusal } from "../dotenv/refusal.ts";
import { valueRefusal } from "./plain.ts";
import type { Place } from "./plain.ts";

const HEADER = /^([|>])(?:([1-9])([+-]?)|([+-]?)([1-9]?))(?: +#.*| *)$/;

/** What becomes of the line ends behind the last line of text: one is kept, none, all. */
type Chomping = "clip" | "strip" | "keep";

/**
 * @param lines the whole text, without line ends; the last one is what stands behind the last line end
 * @param at the index of the line with the header
 * @param rest the header, from its `|` or `>`
 * @returns the value, and the index of the line behind it
 */
export function readBlock(
  lines: readonly string[],
  at: number,
  rest: string,
  place: Place,
): { value: string; next: number } {
  const match = HEADER.exec(rest);
  if (match === null) {
    throw valueRefusal(
      place,
      "text behind the sign of a block",
      "write the text on the next lines, indented",
    );
  }
  const [, style, digit = match[5], sign = match[4] ?? ""] = match;
  const isGiven = digit !== undefined && digit !== "";
  const indent = isGiven ? Number(digit) : detectIndent(lines, at + 1);
  const chomping = sign === "-" ? "strip" : sign === "+" ? "keep" : "clip";
  let next = at + 1;
  while (next < lines.length && belongs(lines[next] ?? "", indent)) next += 1;
  // Behind the last line end there is no line.
  const isAtEnd = next === lines.length;
  const whole = lines.slice(at + 1, isAtEnd && lines.at(-1) === "" ? next - 1 : next);
  if (isAtEnd && lines.at(-1) !== "" && whole.length > 0 && chomping !== "strip") {
    throw valueRefusal(
      place,
      "the file ends inside a block, without a line end",
      "end the file with a line end",
    );
  }
  refuseIndented(lines[next] ?? "", next + 1);
  const content = whole.map((line) => line.slice(indent));
  return {
    value: style === "|" ? chomp(content, chomping, literal) : chomp(content, chomping, folded),
    next,
  };
}

/** An empty line, or one that is indented far enough. */
function belongs(line: string, indent: number): boolean {
  return /^ *$/.test(line) || line.slice(0, indent) === " ".repeat(indent);
}

/** The indentation of the first line with text; 8.1.1.1: no empty line before it may have more blanks. */
function detectIndent(lines: readonly string[], from: number): number {
  let widest = 0;
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const blanks = /^ */.exec(line)?.[0].length ?? 0;
    if (blanks === line.length) {
      widest = Math.max(widest, blanks);
      continue;
    }
    if (blanks === 0) break;
    if (widest > blanks) {
      throw refusal(
        at + 1,
        "an empty line above has more blanks than this one",
        "remove the blanks of empty lines",
      );
    }
    return blanks;
  }
  // No text in it.
  return widest + 1;
}

/** A line that ends a block is one of the mapping, or a comment. */
function refuseIndented(line: string, number: number): void {
  if (!/^[ \t]+[^ \t#]/.test(line)) return;
  throw refusal(number, "indented less than the block above it", "indent every line of a block alike");
}

function chomp(
  content: readonly string[],
  chomping: Chomping,
  join: (lines: readonly string[]) => string,
): string {
  const last = content.findLastIndex((line) => line !== "");
  const body = join(content.slice(0, last + 1));
  switch (chomping) {
    case "strip":
      return body;
    case "clip":
      return last === -1 ? "" : `${body}\n`;
    case "keep":
      return body + "\n".repeat(content.length - Math.max(last, 0));
  }
}

function literal(lines: readonly string[]): string {
  return lines.join("\n");
}

/** 8.1.3: one line end between two lines of text is a blank; but not beside a line that begins with white space. */
function folded(lines: readonly string[]): string {
  let text = "";
  let breaks = 0;
  let before: string | undefined;
  for (const line of lines) {
    if (line === "") {
      breaks += 1;
      continue;
    }
    if (before === undefined) text += "\n".repeat(breaks);
    else if (isSpaced(before) || isSpaced(line)) text += "\n".repeat(breaks + 1);
    else text += breaks === 0 ? " " : "\n".repeat(breaks);
    text += line;
    before = line;
    breaks = 0;
  }
  return text;
}

function isSpaced(line: string): boolean {
  return /^[ \t]/.test(line);
}
