/** The options of `run` and of `check`, from flags and from the variables that stand for them in a Dockerfile. */
import type { Environment } from "../context.ts";
import { SealexecError } from "../errors.ts";
import { parseCredentials, parseNames, parseOpenPolicy, words } from "../options.ts";
import type { OpenFlags } from "../options.ts";
import { parseSource } from "../stores/registry.ts";
import type { EnvironmentPolicy } from "./environment.ts";
import type { SourceOptions } from "./sources.ts";

export interface RunOptions extends SourceOptions {
  readonly command: string;
  /** argv of CMD, byte for byte, argv[0] as given */
  readonly args: readonly Buffer[];
  readonly policy: EnvironmentPolicy;
  /** the soft limit of open files that CMD gets; undefined: the inherited one, where that can be told */
  readonly softFileLimit: number | undefined;
}

/** What the flags say, as commander hands it over; undefined: not given. */
export interface SourceFlags extends OpenFlags {
  readonly from?: readonly string[];
  readonly require?: readonly string[];
  readonly allow?: readonly string[];
  readonly explain?: boolean;
}

export interface RunFlags extends SourceFlags {
  readonly keepExisting?: boolean;
  readonly pristine?: boolean;
  readonly pass?: readonly string[];
  readonly nofile?: string;
}

/** @throws "usage" where there is no source, or an option is not of its form */
export async function parseSourceOptions(flags: SourceFlags, env: Environment): Promise<SourceOptions> {
  const uris = flags.from ?? words(env["SEALEXEC_FROM"], /\s+/);
  if (uris.length === 0) {
    throw new SealexecError("usage", "no source: give --from URI or set SEALEXEC_FROM", {
      hint: "for example: sealexec run --from s3://my-bucket/app.env -- node server.js",
    });
  }
  const credentials = parseCredentials(flags.credentials, env);
  return {
    sources: await Promise.all(uris.map(parseSource)),
    ...(credentials === undefined ? {} : { credentials }),
    open: parseOpenPolicy(flags, env),
    names: {
      require: parseNames("--require", flags.require ?? [env["SEALEXEC_REQUIRE"] ?? ""]),
      allow: new Set(parseNames("--allow", flags.allow ?? [env["SEALEXEC_ALLOW"] ?? ""])),
    },
  };
}

export function parseEnvironmentPolicy(flags: RunFlags): EnvironmentPolicy {
  const pass = new Set(parseNames("--pass", flags.pass ?? []));
  if (pass.size > 0 && flags.pristine !== true) {
    throw new SealexecError("usage", "--pass is for --pristine", {
      hint: "without --pristine, everything is passed",
    });
  }
  return { keepExisting: flags.keepExisting ?? false, pristine: flags.pristine ?? false, pass };
}
