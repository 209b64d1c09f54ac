/** A simulated clock under the timers that the product's own code sets. */
import { mock } from "node:test";
import { randomFrom } from "./report.ts";

/**
 * Runs what `begin` starts, millisecond by millisecond, until it is over. Math.random is the seed's meanwhile. What is
 * still waiting at the end is left waiting for ever.
 *
 * @param begin gets the clock, milliseconds; returns whether all is over
 */
export async function simulate(seed: number, begin: (now: () => number) => () => boolean): Promise<void> {
  const { random } = Math;
  Math.random = randomFrom(seed);
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    let time = 0;
    const isOver = begin(() => time);
    while (!isOver()) {
      time += 1;
      mock.timers.tick(1);
      // Whatever waits for a promise goes on before the clock does.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    mock.timers.reset();
    Math.random = random;
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
