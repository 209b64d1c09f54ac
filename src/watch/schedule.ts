/** When the sources are looked at. Pure. */

/** Of the interval, to either side. */
const JITTER = 0.1;

/**
 * How long to wait until the next look: the interval, give or take a tenth, so that a fleet that was started at once
 * does not stay in step.
 *
 * @param everyMs the interval, milliseconds
 * @param random from 0 to 1
 */
export function waitBeforeLook(everyMs: number, random: () => number = Math.random): number {
  return everyMs * (1 - JITTER + 2 * JITTER * random());
}
