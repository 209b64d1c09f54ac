/** The variables that are sealexec's own. Those of AWS and Vault are theirs. */
import type { Environment } from "../base/env.ts";
import { OPTIONS, SWITCHES } from "./table.ts";

export const PREFIX = "SEALEXEC_";

export const VARIABLES: ReadonlySet<string> = new Set(
  [...OPTIONS, ...SWITCHES].flatMap(({ variable }) => variable ?? []),
);

/** What Kubernetes sets for each service of a namespace: one may have our name, or one that begins with it. */
const OF_SERVICE =
  /^SEALEXEC_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/** What begins as they do, in either case. */
export function ownVariables(env: Environment): string[] {
  return Object.keys(env).filter(
    (name) => name.slice(0, PREFIX.length).toUpperCase() === PREFIX && !OF_SERVICE.test(name),
  );
}
