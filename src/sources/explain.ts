/** `--explain`: which source each variable came from, and what it was put over. Names and URIs, never a value. */
import type { Credentials } from "../aws/credentials/source.ts";
import type { Variables } from "../base/secret.ts";
import { matchesName } from "../base/name-patterns.ts";
import { handsOn } from "../process/environment.ts";
import type { Underneath } from "../process/environment.ts";

/** Where variables came from. */
export interface Origin {
  readonly uri: string;
  readonly variables: Variables;
  /** names that it sets and --only does not name */
  readonly leftOut?: readonly string[];
}

/** One line for each variable that a source sets, by name; then one for each that is left out or dropped. */
export function explainVariables(opened: readonly Origin[], { inherited, policy }: Underneath): string[] {
  const names = new Set(opened.flatMap(({ variables }) => [...variables.keys()]));
  const from = [...names].toSorted().map((name) => {
    const passed = inherited.has(name) && handsOn(policy, name);
    const uris = opened.filter(({ variables }) => variables.has(name)).map(({ uri }) => uri);
    const environment = passed ? ["the environment"] : [];
    // From the lowest to the one that wins.
    const layers = policy.keepExisting ? [...uris, ...environment] : [...environment, ...uris];
    const [winner = "", ...under] = layers.toReversed();
    return `${name}: from ${winner}${under.length === 0 ? "" : `, over ${listOf(under)}`}`;
  });
  const leftOut = opened.flatMap(({ uri, leftOut: names = [] }) =>
    names.map((name) => `${name}: left out of ${uri}, as --only does not name it`),
  );
  const { drop } = policy;
  const dropped = [...inherited].filter((name) => drop !== undefined && matchesName(drop, name));
  const droppedLines = dropped.toSorted().map((name) => `${name}: of the environment, dropped`);
  return [...from, ...leftOut.toSorted(), ...droppedLines];
}

/** The credentials that are used, and why not those before them. */
export function explainCredentials(used: Pick<Credentials, "source" | "passedOver">): string[] {
  return [
    `credentials: from ${used.source}`,
    ...used.passedOver.map((why) => `credentials: not from ${why}`),
  ];
}

function listOf(items: readonly string[]): string {
  const last = items.at(-1) ?? "";
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} and ${last}`;
}
