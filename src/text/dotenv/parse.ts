import { parse } from "dotenv";
import type { Variables } from "../../base/secret.ts";
import { SizedVariables, type SizeLimit } from "../../base/start-size.ts";
import { decodeText, refusal } from "./decode.ts";
import { type Assignment, scanAssignments } from "./scan.ts";

/** What dotenv would skip, repair or swallow is refused. Nothing is expanded. */
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
 * dotenv gets one assignment at a time: on a whole file its regular expression takes quadratic time over
 * blank lines. It gets them with `fast`, its parser without that expression, as JavaScriptCore gives the
 * expression up on quoted values of more than half a MiB and finds nothing.
 */
function readWithDotenv(assignment: Assignment): string {
  return agreedValue(assignment, parse(assignment.text, { fast: true }));
}

/** dotenv's value, if it is the scanner's: readers that disagree have lost or made up something. */
export function agreedValue(
  { line, name, value }: Assignment,
  parsed: Readonly<Record<string, string>>,
): string {
  const [entry, ...others] = Object.entries(parsed);
  if (entry === undefined || others.length > 0 || entry[0] !== name || entry[1] !== value)
    throw refusal(line, "dotenv reads this assignment in another way", "write it as NAME='value'");
  return entry[1];
}
