import { parse } from "dotenv";
import type { Variables } from "../../base/secret.ts";
import { SizedVariables, type SizeLimit } from "../../base/start-size.ts";
import { agreedValue } from "./agreement.ts";
import { decodeText } from "./decode.ts";
import { refusal } from "./refusal.ts";
import { type Assignment, scanAssignments } from "./scan.ts";

/**
 * Reads the bytes of a .env file. Names and values are dotenv's, in the order of the file; what dotenv would
 * skip, repair or swallow is refused. Nothing is expanded.
 *
 * @throws SealexecError "data", `line 3: no "=" in assignment`: a line number, at most the name of a variable,
 *   never any part of a value or of a malformed line; "cannot-execute" where they are more than a program can be
 *   started with
 */
export function parseDotenv(bytes: Uint8Array, limit?: SizeLimit): Variables {
  const variables = new SizedVariables(limit);
  const lines = new Map<string, number>();
  for (const assignment of scanAssignments(decodeText(bytes))) {
    const { name, line } = assignment;
    const earlier = lines.get(name);
    if (earlier !== undefined)
      throw refusal(line, `${name} is already set on line ${earlier}`, "keep one of the two");
    lines.set(name, line);
    variables.set(name, readWithDotenv(assignment));
  }
  return variables.all;
}

/**
 * dotenv gets one assignment at a time: on a whole file its regular expression takes quadratic time over blank
 * lines. It gets them with `fast`, its parser without that expression, as JavaScriptCore gives the expression
 * up on quoted values of more than half a MiB and finds nothing.
 */
function readWithDotenv(assignment: Assignment): string {
  return agreedValue(assignment, parse(assignment.text, { fast: true }));
}
