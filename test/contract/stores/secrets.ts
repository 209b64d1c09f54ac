import { Secret } from "../../../src/base/secret.ts";
import type { Variables } from "../../../src/base/secret.ts";

export function secretsOf(variables: Readonly<Record<string, string>>): Variables {
  return new Map(Object.entries(variables).map(([name, value]) => [name, new Secret(value)]));
}
