/** Names of variables: which must be there, and how lists of them are written. */
import { SealexecError } from "./errors.ts";
import type { Variables } from "./secret.ts";

export interface NamePolicy {
  /** must be there and not empty */
  readonly require: readonly string[];
  /** refused by default, but allowed here by name */
  readonly allow: ReadonlySet<string>;
}

/** @throws "data", naming the names */
export function requireNames(variables: Variables, require: readonly string[]): void {
  const absent = require.filter((name) => (variables.get(name)?.sizeBytes ?? 0) === 0);
  if (absent.length === 0) return;
  throw new SealexecError("data", `missing or empty: ${absent.join(", ")}`, {
    hint: "add them to the sealed .env, or take them out of --require (SEALEXEC_REQUIRE)",
  });
}

/**
 * Names of variables, from comma-separated lists.
 *
 * @param option for messages
 * @throws "usage"
 */
export function parseNames(option: string, lists: readonly string[]): string[] {
  const names = lists.flatMap((list) => words(list, /,/));
  for (const name of names) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new SealexecError("usage", `${option}: ${JSON.stringify(name)} is not the name of a variable`);
    }
  }
  return names;
}

/** The parts of a text that are not empty. */
export function words(text: string | undefined, separator: RegExp): string[] {
  return (text ?? "")
    .split(separator)
    .map((word) => word.trim())
    .filter((word) => word !== "");
}
