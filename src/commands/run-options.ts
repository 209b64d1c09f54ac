/** The options of `run` and of `check`, from flags and from the variables beside them. */
import { existsSync } from "node:fs";
import type { Environment } from "../base/env.ts";
import { parseDuration } from "../base/duration.ts";
import { SealexecError } from "../base/errors.ts";
import { parseNames, parsePatterns, words } from "../text/names.ts";
import { checkLagOption, givenCredentials, parseOpenPolicy, type OpenFlags } from "./open-options.ts";
import type { OpenPolicy } from "../sources/unseal.ts";
import { hasCommas, namesSource, parseSource } from "../stores/registry.ts";
import type { Source } from "../stores/source.ts";
import type { EnvironmentPolicy } from "../process/environment.ts";
import type { FallbackSettings, SourceOptions } from "../sources/options.ts";

/** What the flags say, as commander hands it over; undefined: not given. */
export interface SourceFlags extends OpenFlags {
  readonly from?: readonly string[];
  readonly require?: readonly string[];
  readonly allow?: readonly string[];
  readonly only?: readonly string[];
  readonly explain?: boolean;
}

export interface RunFlags extends SourceFlags {
  readonly keepExisting?: boolean;
  readonly pristine?: boolean;
  readonly pass?: readonly string[];
  readonly drop?: readonly string[];
  readonly nofile?: string;
  readonly fallback?: string;
  readonly fallbackAge?: string;
}

/** @throws "usage" where there is no source, or an option is not of its form */
export async function parseSourceOptions(flags: SourceFlags, env: Environment): Promise<SourceOptions> {
  if (flags.from === undefined && hasCommas(env["SEALEXEC_FROM"] ?? "")) {
    throw new SealexecError("usage", "SEALEXEC_FROM has a comma between URIs", {
      hint: "put white space between them",
    });
  }
  const uris = flags.from ?? words(env["SEALEXEC_FROM"], /\s+/);
  if (uris.length === 0) {
    throw new SealexecError("usage", "no source: give --from URI or set SEALEXEC_FROM", {
      hint: "for example: sealexec run --from s3://my-bucket/app.env -- node server.js",
    });
  }
  const credentials = givenCredentials(flags, env);
  const only = parsePatterns("--only (SEALEXEC_ONLY)", flags.only ?? [env["SEALEXEC_ONLY"] ?? ""]);
  const sources = await Promise.all(uris.map(parseSource));
  const open = parseOpenPolicy(flags, env);
  checkLagOption(open, sources);
  refuseUnboundForMany(sources, open.accept);
  return {
    sources,
    ...(credentials === undefined ? {} : { credentials }),
    open,
    names: {
      require: parseNames("--require", flags.require ?? [env["SEALEXEC_REQUIRE"] ?? ""]),
      allow: new Set(parseNames("--allow", flags.allow ?? [env["SEALEXEC_ALLOW"] ?? ""])),
      ...(only === undefined ? {} : { only }),
    },
  };
}

// It would open for all of them what is meant for one: a stranger's object could be put in the place of any.
function refuseUnboundForMany(sources: readonly Source[], accept: OpenPolicy["accept"]): void {
  if (!accept.has("unbound") || sources.filter(({ gives }) => gives === "sealed").length < 2) return;
  throw new SealexecError("usage", "--accept unbound (SEALEXEC_ACCEPT) with more than one sealed source", {
    hint: "say it in the URI of the one that is meant: s3://BUCKET/KEY?accept=unbound",
  });
}

const YEAR_MS = 365 * 86_400_000;

/** @throws "usage" where there is nothing to keep, or an option is not of its form */
export function parseFallback(
  flags: RunFlags,
  env: Environment,
  sources: readonly Source[],
): FallbackSettings | undefined {
  const path = flags.fallback ?? env["SEALEXEC_FALLBACK"];
  if (path === undefined) {
    if (flags.fallbackAge === undefined) return undefined;
    throw new SealexecError("usage", "--fallback-age is for --fallback", {
      hint: "name the file: --fallback FILE (SEALEXEC_FALLBACK)",
    });
  }
  if (path.endsWith("/") || path.includes("\0"))
    throw new SealexecError("usage", "--fallback (SEALEXEC_FALLBACK) names no file");
  if (!sources.some(({ place }) => place !== undefined)) {
    throw new SealexecError("usage", "--fallback (SEALEXEC_FALLBACK) is for sealed objects in S3", {
      hint: "what other stores have is not sealed, and is not kept",
    });
  }
  const age = flags.fallbackAge ?? env["SEALEXEC_FALLBACK_AGE"] ?? "24h";
  return { path, largestAgeMs: parseDuration("--fallback-age (SEALEXEC_FALLBACK_AGE)", age, 1_000, YEAR_MS) };
}

export function parseEnvironmentPolicy(flags: RunFlags, env: Environment): EnvironmentPolicy {
  const pass = new Set(parseNames("--pass", flags.pass ?? []));
  if (pass.size > 0 && flags.pristine !== true) {
    throw new SealexecError("usage", "--pass is for --pristine", {
      hint: "without --pristine, everything is passed",
    });
  }
  const drop = parsePatterns("--drop (SEALEXEC_DROP)", flags.drop ?? [env["SEALEXEC_DROP"] ?? ""]);
  const { keepExisting = false, pristine = false } = flags;
  return { keepExisting, pristine, pass, ...(drop === undefined ? {} : { drop }) };
}

/** `run s3://BUCKET/KEY -- CMD`: the source was meant for --from. */
export function refuseSource(command: string, verb: "run" | "check"): void {
  if (!namesSource(command) || existsSync(command)) return;
  throw new SealexecError("usage", `${command} is a source, and stands in the place of CMD`, {
    hint: `name it with --from: sealexec ${verb} --from ${command}${verb === "run" ? " -- CMD" : ""}`,
  });
}
