/** One attempt of a call, and how long the next is waited for after it has failed. */
import { SealexecError } from "../base/errors.ts";

/** First window of the back-off, by what each is wider than the one before, and the widest; milliseconds. */
export const WINDOWS = {
  // A throttled fleet has to spread over as many seconds as it is too many: start wide, and widen fast. The figures
  // are those with which 1,000 starts at once cost a start 6 calls of KMS at most (bench/fleet.ts).
  throttled: { first: 6_000, factor: 4, largest: 32_000 },
  unreachable: { first: 100, factor: 2, largest: 2_000 },
  failing: { first: 500, factor: 2, largest: 4_000 },
  hung: { first: 100, factor: 2, largest: 1_000 },
} as const;

export type Transient = keyof typeof WINDOWS;

/** An attempt took longer than it may. */
export class AttemptTimeout extends Error {
  override readonly name = "AttemptTimeout";
}

export interface Failure {
  readonly error: SealexecError;
  /** absent: another attempt would end the same way */
  readonly transient?: Transient;
}
