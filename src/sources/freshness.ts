/** What the times that a store tells say about a revision, which is a time as well. */
import { printDuration, roughDuration } from "../base/duration.ts";
import { MOST_AHEAD_MS, SEAL_AGAIN } from "../envelope/index.ts";
import { SealexecError } from "../base/errors.ts";
import type { SealedObject } from "../stores/source.ts";

type Times = Pick<SealedObject, "date" | "lastModified">;

/** Refuses a revision of the future: who kept it would refuse every honest one after it. By the store's clock, else by ours. */
export function refuseAhead(revision: number | undefined, { date }: Times): void {
  const aheadMs = (revision ?? 0) - (date ?? Date.now());
  if (aheadMs <= MOST_AHEAD_MS) return;
  const [whose, hint] =
    date === undefined
      ? ["this machine's clock", `set this machine's clock (NTP), or ${SEAL_AGAIN}`]
      : ["the store's clock", `nobody seals so by mistake: ${SEAL_AGAIN}`];
  const message = `revision ${revision} is ${roughDuration(aheadMs)} ahead of ${whose}`;
  throw new SealexecError("data", message, { code: "revision-ahead", hint });
}

/** How long after its revision the object was written; undefined: that cannot be told. */
export function lagOf(revision: number | undefined, { lastModified }: Times): number | undefined {
  return revision === undefined || lastModified === undefined ? undefined : lastModified - revision;
}

/** Refuses an object that was written so long after its revision that it is an old version put back, or that does not tell. */
export function refuseLag(revision: number | undefined, times: Times, largestMs: number): void {
  const lagMs = lagOf(revision, times);
  if (lagMs !== undefined && lagMs <= largestMs) return;
  if (lagMs === undefined) {
    const missing =
      revision === undefined ? "it has no revision" : "the store does not say when it was written";
    throw new SealexecError("data", `${missing}, so that --max-lag cannot tell whether it is an old one`, {
      hint: `${SEAL_AGAIN}; or leave --max-lag (SEALEXEC_MAX_LAG) out`,
    });
  }
  const message = `${describeLag(revision, lagMs)}, and --max-lag is ${printDuration(largestMs)}`;
  throw new SealexecError("data", message, { code: "put-back", hint: PUT_BACK });
}

export function describeLag(revision: number | undefined, lagMs: number): string {
  return `it was written ${roughDuration(lagMs)} after its revision ${revision}`;
}

/** Written, uploaded and confirmed at once: so much later something else has happened to it. */
export const HONEST_LAG_MS = 3_600_000;

/** What it means that an object is newer than its revision, and what to do. */
export const PUT_BACK = `an old version was put back, copied or restored: ${SEAL_AGAIN}`;
