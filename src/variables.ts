/** The variables that are sealexec's own: all of them, and nowhere else. Those of AWS and Vault are theirs. */
import type { Environment } from "./env.ts";

export const PREFIX = "SEALEXEC_";

export const VARIABLES: ReadonlySet<string> = new Set(
  [
    "FROM KEY CONTEXT ACCEPT MIN_REVISION CREDENTIALS REQUIRE ALLOW ONLY DROP NOFILE FALLBACK FALLBACK_AGE",
    "MAX_LAG WATCH ON_CHANGE EVERY GRACE ON_EXIT ENV_OUT TIMEOUT LOG",
    // without an option
    "ALLOW_HTTP TRACE",
  ].flatMap((line) => line.split(" ").map((name) => PREFIX + name)),
);

/** On or off, without an option beside them. */
export const SWITCHES = ["SEALEXEC_ALLOW_HTTP", "SEALEXEC_TRACE"] as const;

/** What Kubernetes sets for each service of a namespace: one may have our name, or one that begins with it. */
const OF_SERVICE =
  /^SEALEXEC_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/** What begins as they do, in either case. */
export function ownVariables(env: Environment): string[] {
  return Object.keys(env).filter(
    (name) => name.slice(0, PREFIX.length).toUpperCase() === PREFIX && !OF_SERVICE.test(name),
  );
}
