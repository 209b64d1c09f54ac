/** From text to variables. Each dialect's code is loaded if it is used. */
import { parseDotenv } from "./dotenv/parse.ts";
import type { Variables } from "../base/secret.ts";
import type { SizeLimit } from "../base/start-size.ts";
import type { Dialect } from "./dialect.ts";
import type { LookUp } from "./docker.ts";

/**
 * @param lookUp what is set already: in `docker`, a name without a value takes it
 * @param limit what a program can be started with; absent: what some machine could start one with
 * @throws SealexecError "data", with a line or a name, never a value; "cannot-execute" for more than the
 *   limit
 */
export async function parseText(
  bytes: Uint8Array,
  dialect: Dialect,
  lookUp: LookUp,
  limit?: SizeLimit,
): Promise<Variables> {
  switch (dialect) {
    case "dotenv":
      return parseDotenv(bytes, limit);
    case "docker": {
      const { parseDocker } = await import("./docker.ts");
      return parseDocker(bytes, lookUp, limit);
    }
    case "json": {
      const { parseJson } = await import("./json.ts");
      return parseJson(bytes, limit === undefined ? {} : { limit });
    }
    case "yaml": {
      const { parseYaml } = await import("./yaml/parse.ts");
      return parseYaml(bytes, limit);
    }
  }
}
