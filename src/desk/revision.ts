/**
 * The revision of what is written next: a hybrid clock, milliseconds since 1970. It is above any honest one
 * before it, also if somebody took away or forged what is there: time goes on by itself.
 */
import { MOST_AHEAD_MS } from "../envelope/index.ts";
import { SealexecError } from "../base/errors.ts";

/** The local clock counts as long as it is no further from the store's than this. */
const AGREEMENT_MS = 2_000;

/** The time of a look at what is there, milliseconds since 1970. */
export interface Moment {
  readonly local: number;
  /** of the store, by its answer; undefined: it told none, or has none of its own */
  readonly store: number | undefined;
}

/** @param before the revision of what is there, as far as it counts */
export function chooseRevision(
  before: number | undefined,
  given: number | undefined,
  moment: Moment,
): number {
  const now = nowAt(moment);
  const largest = (moment.store ?? moment.local) + MOST_AHEAD_MS;
  if (given === undefined) {
    // What is further ahead opens nowhere, and nobody keeps it.
    const least = before === undefined || before >= largest ? 1 : before + 1;
    return Math.max(now, least);
  }
  if (given <= largest) return given;
  throw new SealexecError("usage", `--revision: ${given} is ahead of the clock, and nobody would open it`, {
    hint: `it is a time in Unix milliseconds, and now is ${now}; leave it out for the next one`,
  });
}

function nowAt({ local, store }: Moment): number {
  return store === undefined || Math.abs(local - store) <= AGREEMENT_MS ? local : store;
}
