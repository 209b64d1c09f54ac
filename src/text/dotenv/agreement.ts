import { refusal } from "./refusal.ts";
import type { Assignment } from "./scan.ts";

/**
 * The value of an assignment, once dotenv's answer for it is the scanner's: this one name, this value. Two
 * readers that do not agree mean that one of them has lost or made up something.
 *
 * @param parsed what dotenv gave for `assignment.text`
 * @throws SealexecError "data" with the line, if they do not agree
 */
export function agreedValue(
  { line, name, value }: Assignment,
  parsed: Readonly<Record<string, string>>,
): string {
  const [entry, ...others] = Object.entries(parsed);
  if (entry === undefined || others.length > 0 || entry[0] !== name || entry[1] !== value)
    throw refusal(line, "dotenv reads this assignment in another way", "write it as NAME='value'");
  return entry[1];
}
