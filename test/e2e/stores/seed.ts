/** Puts variables into the stores of the loopback AWS as people's own tools do, not as `push` would. */
import type { Aws } from "../../aws/server.ts";

export type Values = Readonly<Record<string, string>>;

/** A secret with one JSON object, as the console and ECS have it. Returns its URI. */
export function seedSecretsManager(aws: Aws, name: string, variables: Values): string {
  aws.secrets.put(name, { text: JSON.stringify(variables) });
  return `secretsmanager://${name}`;
}

/**
 * One SecureString for each variable, named as chamber does: `/app/` and `DB_HOST` → `/app/db_host`. Returns its URI.
 *
 * @param path with a slash at both ends
 */
export function seedSsm(aws: Aws, path: string, variables: Values): string {
  for (const [name, value] of Object.entries(variables))
    aws.parameters.put(`${path}${name.toLowerCase()}`, value);
  return `ssm://${path}`;
}
