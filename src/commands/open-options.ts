/** Values of options that several commands have, from flags and from the variables that stand for them. */
import type { Environment } from "../base/env.ts";
import { parseRevision } from "../envelope/revision.ts";
import { parseDuration } from "../base/duration.ts";
import { SealexecError } from "../base/errors.ts";
import type { EncryptionContext } from "../envelope/format.ts";
import { needsAws, parseKey, type Key } from "../keys/key.ts";
import { elements } from "../text/names.ts";
import type { OpenPolicy } from "../sources/unseal.ts";
import { parseAccept, parseContext } from "../stores/sealed-options.ts";
import type { Source } from "../stores/source.ts";
import { parseTime } from "../base/time.ts";
import { parseCredentialsRef, type CredentialsRef } from "../vault/credentials-ref.ts";

/** What the flags say, as commander hands it over; undefined: not given. */
export interface KeyFlags {
  readonly key?: string;
  readonly context?: readonly string[];
  readonly credentials?: string;
}

export interface OpenFlags extends KeyFlags {
  readonly accept?: readonly string[];
  readonly minRevision?: string;
  readonly maxLag?: string;
}

/** The key that the flag or the variable names; undefined: none is named. */
export function givenKey({ key }: KeyFlags, env: Environment): Key | undefined {
  const text = key ?? env["SEALEXEC_KEY"];
  return text === undefined ? undefined : parseKey(text);
}

export function givenContext({ context }: KeyFlags, env: Environment): EncryptionContext {
  return parseContext(context ?? elements("--context (SEALEXEC_CONTEXT)", env["SEALEXEC_CONTEXT"]));
}

/** What makes the AWS credentials; undefined: the chain finds them. */
export function givenCredentials({ credentials }: KeyFlags, env: Environment): CredentialsRef | undefined {
  const text = credentials ?? env["SEALEXEC_CREDENTIALS"];
  return text === undefined ? undefined : parseCredentialsRef(text);
}

/** Key, context and accepted formats: what `pull` has in common with `run`. */
export function parseOpenPolicy(flags: OpenFlags, env: Environment): OpenPolicy {
  const key = givenKey(flags, env);
  const lag = flags.maxLag ?? env["SEALEXEC_MAX_LAG"];
  const context = givenContext(flags, env);
  return {
    key,
    context: Object.keys(context).length === 0 ? undefined : context,
    accept: new Set([
      ...parseAccept(flags.accept ?? [env["SEALEXEC_ACCEPT"] ?? ""]),
      ...(needsAws(key) ? [] : (["local-key"] as const)),
    ]),
    leastRevision: parseLeastRevision(flags.minRevision ?? env["SEALEXEC_MIN_REVISION"] ?? "0"),
    ...(lag === undefined ? {} : { largestLagMs: parseDuration(MAX_LAG, lag, 1_000, YEAR_MS) }),
  };
}

const MAX_LAG = "--max-lag (SEALEXEC_MAX_LAG)";
const YEAR_MS = 365 * 86_400_000;

/** Only a store that tells the time says when something was written. */
export function checkLagOption({ largestLagMs }: OpenPolicy, sources: readonly Source[]): void {
  if (largestLagMs === undefined || sources.some(({ dated }) => dated === true)) return;
  throw new SealexecError("usage", `${MAX_LAG} is for sealed objects in S3`, {
    hint: "other sources do not say when they were written: leave it out",
  });
}

function parseLeastRevision(text: string): number {
  const revision = text === "0" ? 0 : (parseRevision(text) ?? parseTime(text));
  if (revision !== undefined && isInSeconds(revision)) {
    const hint = `revisions are in milliseconds: ${revision}000; or give a time such as 2026-11-20T10:00Z`;
    const what = "--min-revision (SEALEXEC_MIN_REVISION) is a time in seconds, it seems";
    throw new SealexecError("usage", what, { hint });
  }
  if (revision !== undefined) return revision;
  const what = "--min-revision (SEALEXEC_MIN_REVISION) is neither a whole number nor a time with its zone";
  const hint = "for example 2026-11-20T10:00Z, or 2026-11-20T10:00:30+01:00";
  throw new SealexecError("usage", what, { hint });
}

/** What `date +%s` prints from 2001 on: as milliseconds it would let everything pass. */
function isInSeconds(revision: number): boolean {
  return revision >= 1e9 && revision < 1e11;
}
