/** When the sources are looked at. Pure. */

/** Of the interval, to either side. */
const JITTER = 0.1;

/** The interval, give or take a tenth, so that a fleet that was started at once does not stay in step. */
export function waitBeforeLook(everyMs: number, random: () => number = Math.random): number {
  return everyMs * (1 - JITTER + 2 * JITTER * random());
}

/** Of a crash loop. */
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;
/** A program that has run for so long has not crashed at its start. */
const SETTLED_MS = 10_000;

/** Before CMD is started again: no wait after a long life, else twice as long each time. */
export class Backoff {
  #shortLives = 0;

  next(livedMs: number): number {
    this.#shortLives = livedMs < SETTLED_MS ? this.#shortLives + 1 : 0;
    return this.#shortLives === 0 ? 0 : waitBeforeAttempt(this.#shortLives);
  }
}

/** How long to wait after so many failures in a row, milliseconds. */
export function waitBeforeAttempt(failures: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** (failures - 1), LONGEST_BACKOFF_MS);
}
