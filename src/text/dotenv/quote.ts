import { refusal } from "./decode.ts";

/** What dotenv allows after a closing quote: blanks, then a comment or the end of the line. */
const END_OF_VALUE = /[^\S\n\u2028\u2029]*(?:[#\n\u2028\u2029]|$)/y;
const OPENS_A_VALUE = /^[ \t]*(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*[ \t]*=[ \t]*$/;

/**
 * The quote that closes the value opened at `open`, as for dotenv: the first of the same kind without a
 * backslash before it, if nothing but a comment follows; else the last one before that with a backslash, and
 * nothing but a comment after it. (To dotenv a backslash is a part of the value, even there.) If dotenv finds
 * none, it takes the first quote for a part of the value; if two lines could end it, it swallows the lines
 * between. Both are refused.
 */
export function findClosingQuote(text: string, open: number, line: number): { at: number; line: number } {
  const quote = text.charAt(open);
  let earliest = -1;
  let close = -1;
  let next = text.indexOf(quote, open + 1);
  for (; next !== -1; next = text.indexOf(quote, next + 1)) {
    if (endsValue(text, next + 1)) {
      earliest = earliest === -1 ? next : earliest;
      close = next;
    }
    if (text.charAt(next - 1) !== "\\") break;
  }
  if (close === -1) throw unclosed(text, open, next, line);
  const closeLine = line + countLines(text, open, close);
  if (countLines(text, earliest, close) > 0) {
    const earlierLine = line + countLines(text, open, earliest);
    const hint = "a quote after a backslash at the end of a line is ambiguous: use another kind of quotes";
    throw refusal(line, `value may end on line ${earlierLine} or on line ${closeLine}`, hint);
  }
  if (closeLine > line && OPENS_A_VALUE.test(text.slice(text.lastIndexOf("\n", close) + 1, close))) {
    const what = `unterminated quote: it would end where the value of line ${closeLine} begins`;
    throw refusal(line, what, "close the quote on its line");
  }
  return { at: close, line: closeLine };
}

function endsValue(text: string, from: number): boolean {
  END_OF_VALUE.lastIndex = from;
  return END_OF_VALUE.test(text);
}

function unclosed(text: string, open: number, next: number, line: number): Error {
  const hint = "a value with quotes in it needs quotes of another kind around it";
  if (next === -1) return refusal(line, "unterminated quote", hint);
  const lines = countLines(text, open, next);
  return lines === 0
    ? refusal(line, "text after the closing quote", hint)
    : refusal(line, `unterminated quote: the next one, on line ${line + lines}, has text after it`, hint);
}

function countLines(text: string, from: number, to: number): number {
  let lines = 0;
  for (let at = text.indexOf("\n", from); at !== -1 && at < to; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}
