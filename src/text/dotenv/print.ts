import { SealexecError } from "../../base/errors.ts";
import type { Variables } from "../../base/secret.ts";
import { isDotenvName } from "./name.ts";
import { parseDotenv } from "./parse.ts";

/** Values that need no quotes in a shell either. */
const PLAIN = /^[A-Za-z0-9_@%+=:,./-]*$/;

/**
 * The same variables give the same text, and `parseDotenv` reads it back byte for byte, in order. dotenv has
 * no escape for a quote or a backslash: some values fit in no form (docs/dotenv.md).
 */
export function printDotenv(variables: Variables): string {
  let text = "";
  let position = 0;
  for (const [name, secret] of variables) {
    position += 1;
    if (!isDotenvName(name)) {
      const hint = "letters, digits and _ only, not beginning with a digit, and not __proto__";
      throw new SealexecError("data", `variable ${position}: invalid name for a .env file`, { hint });
    }
    text += `${printAssignment(name, secret.reveal())}\n`;
  }
  return text;
}

function printAssignment(name: string, value: string): string {
  if (PLAIN.test(value)) return `${name}=${value}`;
  for (const form of forms(value)) {
    const line = `${name}=${form}`;
    if (readsBack(line, name, value)) return line;
  }
  throw new SealexecError("data", `${name}: cannot be written in a .env file`, { hint: hintFor(value) });
}

/** Every way to write a value, the plainest first; not all fit. None depends on the lines around it. */
function* forms(value: string): Generator<string, void, undefined> {
  // Only in double quotes does dotenv read \n and \r; it has no escape for the backslash itself.
  const escaped = value.replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  if (!value.endsWith("\\")) {
    yield `'${value}'`;
    yield `"${escaped}"`;
    yield `\`${value}\``;
  }
  yield value;
  if (value.endsWith("\\")) {
    yield guarded("'", value);
    yield guarded('"', escaped);
    yield guarded("`", value);
  }
}

/**
 * After a backslash dotenv takes a quote for the closing one only if the next quote of its kind, anywhere
 * below in the file, cannot be it. So the next one stands here, with text after it.
 */
function guarded(quote: string, body: string): string {
  return `${quote}${body}${quote} # the ${quote} before this note closes the value`;
}

function readsBack(line: string, name: string, value: string): boolean {
  try {
    const read = parseDotenv(Buffer.from(`${line}\n`));
    return read.size === 1 && read.get(name)?.reveal() === value;
  } catch (error) {
    if (error instanceof SealexecError) return false;
    throw error;
  }
}

function hintFor(value: string): string {
  if (value.includes("\0")) return "it holds a NUL, which no environment variable can hold";
  if (!value.isWellFormed()) return "it is not valid unicode: encode it, for example as base64";
  return "dotenv has no quoting for its mix of quotes and line ends: encode it, for example as base64";
}
