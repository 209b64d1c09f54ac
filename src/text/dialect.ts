/** The form of a text: how a line becomes a variable. */
export type Dialect = "dotenv" | "docker" | "json" | "yaml";

export const DIALECTS: readonly Dialect[] = ["dotenv", "docker", "json", "yaml"];

/** The dialect of this name, as `?format=` gives it; undefined: there is none. */
export function parseDialect(name: string): Dialect | undefined {
  return DIALECTS.find((dialect) => dialect === name);
}
