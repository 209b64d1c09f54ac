/** From the text of a source to its variables, in the dialect that the source is in. Each dialect's code is loaded where it is used. */
import { parseDotenv } from "../dotenv/parse.ts";
import type { Variables } from "../secret.ts";
import type { Dialect } from "./dialect.ts";
import type { LookUp } from "./docker.ts";

/**
 * @param lookUp what is set already: in `docker`, a name without a value takes it
 * @throws SealexecError "data", with a line or a name, never a value
 */
export async function parseText(bytes: Uint8Array, dialect: Dialect, lookUp: LookUp): Promise<Variables> {
  switch (dialect) {
    case "dotenv":
      return parseDotenv(bytes);
    case "docker": {
      const { parseDocker } = await import("./docker.ts");
      return parseDocker(bytes, lookUp);
    }
    case "json": {
      const { parseJson } = await import("./json.ts");
      return parseJson(bytes);
    }
    case "yaml": {
      const { parseYaml } = await import("./yaml/parse.ts");
      return parseYaml(bytes);
    }
  }
}
