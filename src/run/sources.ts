import { AwsSession } from "../aws/session.ts";
import { step } from "../context.ts";
import type { Context } from "../context.ts";
import { parseDotenv } from "../dotenv/parse.ts";
import type { OpenPolicy } from "../sealed/open.ts";
import type { Variables } from "../secret.ts";
import { formatS3Uri } from "../stores/s3/ref.ts";
import type { S3Ref } from "../stores/s3/ref.ts";
import { refuseNames, requireNames } from "../names.ts";
import type { NamePolicy } from "../names.ts";

export interface SourceOptions {
  readonly sources: readonly S3Ref[];
  readonly open: OpenPolicy;
  readonly names: NamePolicy;
}

/**
 * Opens every source and merges them in order: a later one wins. All or nothing.
 *
 * @throws SealexecError where any source cannot be opened whole, sets a refused name, or a required one is not there
 */
export async function openSources(options: SourceOptions, context: Context): Promise<Variables> {
  const session = new AwsSession(context, options.open.key);
  await session.begin(options.sources);
  context.trace?.mark("requests on their way");
  // Most of a start's code is loaded while they are.
  await import("../sealed/open.ts");
  context.trace?.mark("code of opening");
  await session.credentials();
  const opened = await Promise.all(options.sources.map((ref) => openSource(ref, options, session, context)));
  return mergeSources(opened, options, context);
}

/** Merges in order, and looks for what is required in the whole. */
export async function mergeSources(
  opened: readonly Variables[],
  { names }: SourceOptions,
  context: Context,
): Promise<Variables> {
  const merged = new Map(opened.flatMap((variables) => [...variables]));
  await step(
    context,
    "required names",
    "all sources",
    () => requireNames(merged, names.require),
    () => describeNames(names.require),
  );
  return merged;
}

/** Opens one source: its variables, each name of which it may set. */
export async function openSource(
  ref: S3Ref,
  options: SourceOptions,
  session: AwsSession,
  context: Context,
): Promise<Variables> {
  const uri = formatS3Uri(ref);
  const { openSealed } = await import("../sealed/open.ts");
  const { plaintext } = await openSealed(ref, options.open, session, context);
  try {
    const variables = await step(
      context,
      "dotenv",
      uri,
      () => parseDotenv(plaintext),
      (parsed) => `${parsed.size} variables`,
    );
    await step(context, "refused names", uri, () => refuseNames(variables, options.names.allow));
    return variables;
  } finally {
    plaintext.fill(0);
  }
}

function describeNames(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
