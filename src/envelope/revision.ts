/** A time in the encryption context, which KMS authenticates, larger with each push. */
import type { EncryptionContext } from "./format.ts";
import { invalid } from "./invalid.ts";

export const REVISION_NAME = "sealexec:revision";

/** None is written or opened that is further ahead of the store's own time. Milliseconds. */
export const MOST_AHEAD_MS = 10 * 60_000;

/** The way out for what is old, of the future, or not sealed as push seals: it works as it is typed. */
export const SEAL_AGAIN = "seal the right content again: sealexec push FILE URI --key KEY --replace --force";

/** @returns undefined: the writer gave none */
export function revisionOf(context: EncryptionContext): number | undefined {
  if (!Object.hasOwn(context, REVISION_NAME)) return undefined;
  const revision = parseRevision(context[REVISION_NAME] ?? "");
  if (revision !== undefined) return revision;
  const hint = `another program wrote it: ${SEAL_AGAIN}`;
  throw invalid(`encryption context: ${REVISION_NAME} is not a number from 1`, { hint });
}

/** From 1, without leading zeros, and exact as a number. */
export function parseRevision(text: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}

/** @param least 0: any, also one without a revision */
export function checkRevision(
  context: EncryptionContext,
  least: number,
  now: number = Date.now(),
): number | undefined {
  const revision = revisionOf(context);
  if ((revision ?? 0) >= least) return revision;
  const found = revision === undefined ? "it has no revision" : `it is revision ${revision}`;
  throw invalid(`${found}, and ${least} is the oldest that may be opened`, {
    code: "revision-too-old",
    hint: wayOut(revision, least, now),
  });
}

function wayOut(revision: number | undefined, least: number, now: number): string {
  if (least > now + MOST_AHEAD_MS)
    return "no revision is as large yet: lower --min-revision (SEALEXEC_MIN_REVISION)";
  if (revision === undefined) return `what another client wrote has none: ${SEAL_AGAIN}`;
  // A clock that was ahead has made it: the next revision, which is now, would not get past it.
  return `an older version was put back: ${SEAL_AGAIN}${least > now ? ` --revision ${least}` : ""}`;
}
