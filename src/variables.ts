/** The variables that are sealexec's own: all of them, and nowhere else. Those of AWS and Vault are theirs. */
import type { Environment } from "./context.ts";

const PREFIX = "SEALEXEC_";

export const VARIABLES: ReadonlySet<string> = new Set(
  [
    "FROM KEY CONTEXT ACCEPT MIN_REVISION CREDENTIALS REQUIRE ALLOW ONLY DROP NOFILE FALLBACK FALLBACK_AGE",
    "MAX_LAG WATCH ON_CHANGE EVERY GRACE ON_EXIT ENV_OUT TIMEOUT LOG",
    // without an option
    "ALLOW_HTTP TRACE",
  ].flatMap((line) => line.split(" ").map((name) => PREFIX + name)),
);

/** What begins as they do, in either case. */
export function ownVariables(env: Environment): string[] {
  return Object.keys(env).filter((name) => name.slice(0, PREFIX.length).toUpperCase() === PREFIX);
}
