import { decodeText } from "./decode.ts";
import { scanAssignments } from "./scan.ts";

/**
 * The variables whose unquoted value ends at a "#": a comment, or half of a password that nobody put in quotes.
 *
 * @returns `NAME (line 3)` each
 * @throws SealexecError "data" as `parseDotenv`
 */
export function findCutValues(bytes: Uint8Array): string[] {
  return [...scanAssignments(decodeText(bytes))].flatMap(({ name, line, isCut }) =>
    isCut ? [`${name} (line ${line})`] : [],
  );
}
