import { Secret } from "../../../src/secret.ts";
import type { Variables } from "../../../src/secret.ts";

export function secretsOf(variables: Readonly<Record<string, string>>): Variables {
  return new Map(Object.entries(variables).map(([name, value]) => [name, new Secret(value)]));
}
