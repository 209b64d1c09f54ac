/**
 * What the process that is to become CMD says of itself, over the socket that its plan came by: that it is about to execute CMD, or
 * why it cannot. The kernel closes that socket as CMD is executed. Who ends without a word was never CMD. Pure.
 */
import { SealexecError } from "../../base/errors.ts";

/** The last word before the kernel is asked to execute CMD. */
export const EXECUTING = "executing\n";

/** Of the failure that no second attempt can mend. */
export const OTHER_VERSION = "other-version";

/** "cannot-execute", as one line. */
export function printRefusal({ code, message, hint }: SealexecError): string {
  return `${JSON.stringify({ code, message, hint })}\n`;
}

/**
 * Reads all that was said, to its end.
 *
 * @returns "executed", why not, or "silent" where it ended before it could tell
 */
export function parseOutcome(text: string): "executed" | "silent" | SealexecError {
  const said = text.startsWith(EXECUTING) ? text.slice(EXECUTING.length) : text;
  if (said !== "") return parseRefusal(said) ?? "silent";
  return text === "" ? "silent" : "executed";
}

/** undefined: it is not whole, its writer was killed */
function parseRefusal(line: string): SealexecError | undefined {
  try {
    const { message, ...details } = JSON.parse(line) as { message: string; code: string; hint?: string };
    return new SealexecError("cannot-execute", message, { ...details, stage: "command", located: true });
  } catch {
    return undefined;
  }
}
