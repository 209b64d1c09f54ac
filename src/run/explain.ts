/** `--explain`: which source each variable came from, and what it was put over. Names and URIs, never a value. */
import type { Variables } from "../secret.ts";
import type { EnvironmentPolicy } from "./environment.ts";

/** Where variables came from. */
export interface Origin {
  readonly uri: string;
  readonly variables: Variables;
}

/** What the sources are put over. */
export interface Underneath {
  /** names in the environment that sealexec was started with */
  readonly inherited: ReadonlySet<string>;
  readonly policy: EnvironmentPolicy;
}

const ENVIRONMENT = "the environment";

/** One line for each variable that a source sets, by name. */
export function explainVariables(opened: readonly Origin[], { inherited, policy }: Underneath): string[] {
  const names = new Set(opened.flatMap(({ variables }) => [...variables.keys()]));
  return [...names].toSorted().map((name) => {
    const passed = inherited.has(name) && (!policy.pristine || policy.pass.has(name));
    const from = opened.filter(({ variables }) => variables.has(name)).map(({ uri }) => uri);
    // From the lowest to the one that wins.
    const layers = policy.keepExisting
      ? [...from, ...(passed ? [ENVIRONMENT] : [])]
      : [...(passed ? [ENVIRONMENT] : []), ...from];
    const [winner = "", ...under] = layers.toReversed();
    return `${name}: from ${winner}${under.length === 0 ? "" : `, over ${listOf(under)}`}`;
  });
}

/** The credentials that are used, and why not those before them. */
export function explainCredentials({
  source,
  passedOver,
}: {
  readonly source: string;
  readonly passedOver: readonly string[];
}): string[] {
  return [`credentials: from ${source}`, ...passedOver.map((why) => `credentials: not from ${why}`)];
}

function listOf(items: readonly string[]): string {
  const last = items.at(-1) ?? "";
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} and ${last}`;
}
