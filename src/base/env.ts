/** The environment as sealexec was started with. */
export type Environment = Readonly<Record<string, string | undefined>>;

export function isSet(env: Environment, name: string): boolean {
  return env[name] !== undefined && env[name] !== "";
}
