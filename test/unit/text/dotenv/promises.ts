import { parse as dotenvParse } from "dotenv";
import { parseDotenv } from "../../../../src/text/dotenv/parse.ts";
import { printDotenv } from "../../../../src/text/dotenv/print.ts";
import { SealexecError } from "../../../../src/base/errors.ts";
import type { Variables } from "../../../../src/base/secret.ts";
import { isCarriable } from "./carriable.ts";
import { reveal, utf8 } from "./reveal.ts";

const REFUSALS = [
  'no "=" in assignment',
  'no variable name before "="',
  "invalid variable name",
  "__proto__ cannot be set from a \\.env file",
  "byte order mark inside the file",
  "NUL byte",
  "carriage return without line feed",
  "invalid UTF-8",
  "unicode line separator outside quotes",
  "unterminated quote(: the next one, on line \\d+, has text after it)?",
  "unterminated quote: it would end where the value of line \\d+ begins",
  "text after the closing quote",
  "value may end on line \\d+ or on line \\d+",
  "[A-Za-z_][A-Za-z0-9_]* is already set on line \\d+",
];
/** All that a refusal may say; that dotenv and the scanner disagree is not among it. */
const REFUSAL = new RegExp(`^line [1-9]\\d*: (${REFUSALS.join("|")})$`);

/**
 * Whether everything promised of the two functions holds for these bytes: refused in known words with a line,
 * or read as dotenv reads the whole file, printed, and read back.
 *
 * @returns what is broken, or undefined
 */
export function brokenPromise(bytes: Uint8Array): string | undefined {
  let variables: Variables;
  try {
    variables = parseDotenv(bytes);
  } catch (error) {
    return error instanceof SealexecError && error.kind === "data" && REFUSAL.test(error.message)
      ? undefined
      : `refused in other words: ${String(error)}`;
  }
  const read = JSON.stringify(reveal(variables));
  if (read !== JSON.stringify(Object.entries(dotenvParse(Buffer.from(bytes))))) {
    return "dotenv reads other variables";
  }
  return brokenPrint(variables);
}

/** The same for variables: printed so that both we and dotenv read them back, or refused because one cannot be. */
export function brokenPrint(variables: Variables): string | undefined {
  const unfit = reveal(variables).find(([, value]) => !isCarriable(value))?.[0];
  let text: string;
  try {
    text = printDotenv(variables);
  } catch (error) {
    const words = `${unfit}: cannot be written in a .env file`;
    return error instanceof SealexecError && error.kind === "data" && error.message === words
      ? undefined
      : `not printed: ${String(error)}`;
  }
  const before = JSON.stringify(reveal(variables));
  if (unfit !== undefined) {
    return "printed what cannot be carried";
  }
  if (text !== "" && !text.endsWith("\n")) {
    return "the last line does not end";
  }
  if (before !== JSON.stringify(reveal(parseDotenv(utf8(text))))) {
    return "printed, but read back as other variables";
  }
  return before === JSON.stringify(Object.entries(dotenvParse(text)))
    ? undefined
    : "printed, but dotenv reads back other variables";
}
