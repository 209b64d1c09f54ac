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
    // One at a time: on a whole file dotenv's regular expression is quadratic over blank lines. `fast`
    // does without it: JavaScriptCore gives it up on quoted values over half a MiB, and finds nothing.
    variables.set(name, agreedValue(assignment, parse(assignment.text, { fast: true })));
  }
  return variables.all;
}

/** dotenv's value, if it is the scanner's: readers that disagree have lost or made up something. */
export function agreedValue(assignment: Assignment, parsed: Readonly<Record<string, string>>): string {
  const { line, name, value } = assignment;
  const [entry, ...others] = Object.entries(parsed);
  if (entry === undefined || others.length > 0 || entry[0] !== name || entry[1] !== value)
    throw refusal(line, "dotenv reads this assignment in another way", "write it as NAME='value'");
  return entry[1];
}
