/** From the text of a source to its variables, in the dialect that the source is in. Each dialect's code is loaded where it is used. */
import { parseDotenv } from "../dotenv/parse.ts";
import type { Variables } from "../secret.ts";

/** The form of a text: how a line becomes a variable. */
export type Dialect = "dotenv" | "json";

export const DIALECTS: readonly Dialect[] = ["dotenv", "json"];

/** The dialect of this name, as `?format=` gives it; undefined: there is none. */
export function parseDialect(name: string): Dialect | undefined {
  return DIALECTS.find((dialect) => dialect === name);
}

/** @throws SealexecError "data", with a line or a name, never a value */
export async function parseText(bytes: Uint8Array, dialect: Dialect): Promise<Variables> {
  switch (dialect) {
    case "dotenv":
      return parseDotenv(bytes);
    case "json": {
      const { parseJson } = await import("./json.ts");
      return parseJson(bytes);
    }
  }
}
