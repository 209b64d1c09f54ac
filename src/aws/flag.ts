import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";

/**
 * A setting of AWS that is on or off, of the environment or of a profile: true or false, in any case, as the SDK for Go and
 * botocore read them. Whatever else is refused: to guess would be to switch FIPS off without a word.
 *
 * @param name for messages: the variable, or the profile's entry
 * @returns undefined where it is not there, or empty
 * @throws "config"
 */
export function parseFlag(name: string, value: string | undefined): boolean | undefined {
  if (value === undefined || value === "") return undefined;
  const text = value.toLowerCase();
  if (text === "true" || text === "false") return text === "true";
  throw new SealexecError("config", `${name} is neither true nor false`, { hint: "set it to one of them" });
}

/** Whether such a variable is there and true. */
export function isTrue(env: Environment, name: string): boolean {
  return parseFlag(name, env[name]) ?? false;
}
