/** The one retry policy: back-off with full jitter inside the one deadline, which the SDK's does not know. */
import { orAborted } from "../base/deadline.ts";
import type { Context } from "../base/context.ts";
import { SealexecError } from "../base/errors.ts";
import { AttemptTimeout } from "./failure.ts";
import type { Failure, Transient } from "./failure.ts";

export interface RetryOptions {
  /** one attempt may take so long */
  readonly attemptMs: number;
  /** give up after so long even if the deadline is later */
  readonly budgetMs?: number;
  readonly mostAttempts?: number;
  readonly classify: (error: unknown) => Failure;
}

/** The first window, by what each is wider than the one before, and the widest; milliseconds. */
const WINDOWS = {
  // A throttled fleet has to spread over as many seconds as it is too many: start wide, and widen fast. The figures
  // are those with which 1,000 starts at once cost a start 6 calls of KMS at most (bench/fleet.ts).
  throttled: { first: 6_000, factor: 4, largest: 32_000 },
  unreachable: { first: 100, factor: 2, largest: 2_000 },
  failing: { first: 500, factor: 2, largest: 4_000 },
  hung: { first: 100, factor: 2, largest: 1_000 },
} as const satisfies Record<Transient, unknown>;

// Below this there is no time left for an attempt that could end well.
const SHORTEST_WAIT_MS = 20;

// At the end of the time the last failure counts: "timeout" if silence or throttling used up the time,
// "unavailable" if the service could not be reached or kept failing.
/** Calls `attempt` until it succeeds, is refused, or the time is over. Throws what `classify` made of it. */
export async function retry<T>(
  context: Context,
  options: RetryOptions,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { deadline, now } = context;
  const endsAt = now() + Math.min(options.budgetMs ?? Infinity, deadline.remainingMs);
  // A timer that came late may have gone past the end; no timer may be set into the past.
  const remaining = (): number => Math.max(0, Math.min(endsAt - now(), deadline.remainingMs));
  let last: SealexecError | undefined;
  for (let attempts = 1; ; attempts += 1) {
    const timeMs = Math.min(options.attemptMs, remaining());
    const outcome = await once(options, timeMs, deadline.signal, attempt);
    if ("value" in outcome) return outcome.value;
    const { failure } = outcome;
    if (failure.transient === undefined || attempts === options.mostAttempts) throw failure.error;
    // An attempt that the end of the time cut short says less than the one before it.
    const cutShort = failure.transient === "hung" && timeMs < options.attemptMs;
    if (last === undefined || !cutShort) last = failure.error;
    const { first, factor, largest } = WINDOWS[failure.transient];
    // Half of what is left at most: the last attempts are never waited away.
    const window = Math.min(first * factor ** (attempts - 1), largest, remaining() / 2);
    if (window < SHORTEST_WAIT_MS) throw last;
    context.waiting?.because(failure.error);
    const waitMs = Math.random() * window;
    context.log.info(
      `${failure.error.message}; trying again in ${waitMs.toFixed(0)} ms (attempt ${attempts})`,
      { ...failure.error.particulars, attempt: attempts },
    );
    await sleep(waitMs, deadline.signal);
    if (deadline.signal.aborted) throw last;
  }
}

type Outcome<T> = { readonly value: T } | { readonly failure: Failure };

async function once<T>(
  options: RetryOptions,
  timeMs: number,
  deadline: AbortSignal,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<Outcome<T>> {
  const slow = new AbortController();
  const timer = setTimeout(() => slow.abort(new AttemptTimeout()), timeMs);
  const signal = AbortSignal.any([slow.signal, deadline]);
  try {
    return { value: await orAborted(attempt(signal), signal) };
  } catch (error) {
    return { failure: options.classify(signal.aborted ? new AttemptTimeout() : error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Ends as soon as the signal is aborted. */
function sleep(waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, waitMs);
    signal.addEventListener("abort", end);
  });
}
