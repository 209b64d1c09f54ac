/** From text to variables. Each dialect's code is loaded if it is used. */
import { parseDotenv } from "./dotenv/parse.ts";
import type { Variables } from "../base/secret.ts";
import type { SizeLimit } from "../base/start-size.ts";
import type { Dialect } from "./dialect.ts";
import type { LookUp } from "./docker.ts";

/**
 * @param lookUp what is set already: in `docker`, a name without a value takes it
 * @param limit what a program can be started with; absent: what some machine could start one with
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
    case "docker":
      return (await import("./docker.ts")).parseDocker(bytes, lookUp, limit);
    case "json":
      return (await import("./json.ts")).parseJson(bytes, limit === undefined ? {} : { limit });
    case "yaml":
      return (await import("./yaml/parse.ts")).parseYaml(bytes, limit);
  }
}
