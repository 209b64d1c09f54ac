import { SealexecError } from "../../base/errors.ts";

/**
 * The error for a .env text that is not taken: `line 3: no "=" in assignment`. Lines count from 1, and only
 * LF ends one (CRLF too, as it ends with LF). `what` must hold no part of a value or of a malformed line.
 */
export function refusal(line: number, what: string, hint: string): SealexecError {
  return new SealexecError("data", `line ${line}: ${what}`, { hint });
}
