/** A fleet of watchers on the simulated clock, and a new version of the object that they watch. */
import { classify } from "../../src/aws/call/failure.ts";
import { retry } from "../../src/http/retry.ts";
import type { Context } from "../../src/base/context.ts";
import { Deadline } from "../../src/base/deadline.ts";
import { createLogger } from "../../src/base/logger.ts";
import { waitBeforeLook } from "../../src/watch/schedule.ts";
import { simulate, sleep } from "../fleet/clock.ts";
import { KMS_THROTTLED, S3_THROTTLED, SimulatedService } from "../fleet/service.ts";

export interface Fleet {
  readonly watchers: number;
  readonly everyMs: number;
  /** false: every wait is exactly the interval */
  readonly jitter: boolean;
  /** "in step": all begin within one second; "spread": over one interval */
  readonly start: "in step" | "spread";
  readonly s3PerSecond: number;
  readonly kmsPerSecond: number;
}

export interface Rotation {
  /** how long after the new version was there each watcher had it, milliseconds, in order */
  readonly delaysMs: readonly number[];
  /** watchers that did not get it */
  readonly lost: number;
  readonly s3: SimulatedService;
  readonly kms: SimulatedService;
}

const IN_STEP_MS = 1_000;
const ERRORS = 0.001;
const ATTEMPT_MS = 10_000;
// --timeout's default. A look that fails changes nothing: the next one comes after the interval.
const LOOK_TIMEOUT_MS = 30_000;
// A watcher that has not got it after so many intervals is lost.
const MOST_INTERVALS = 20;

const log = createLogger("text", false, () => {});

/**
 * Lets the fleet watch until all have the new version. It appears at a random moment before the first look of those
 * that are in step, so that all of them see it where they are most crowded; for those that are spread, in the second
 * interval. The fleet's own start is not part of it (bench/fleet.ts).
 */
export async function rotate(seed: number, fleet: Fleet): Promise<Rotation> {
  const { everyMs } = fleet;
  const delaysMs: number[] = [];
  let services: { s3: SimulatedService; kms: SimulatedService } | undefined;
  await simulate(seed, (now) => {
    const spreadMs = fleet.start === "spread" ? everyMs : IN_STEP_MS;
    const changedAt =
      spreadMs + Math.random() * (fleet.start === "spread" ? everyMs : 0.9 * everyMs - spreadMs);
    const endsAt = changedAt + MOST_INTERVALS * everyMs;
    const s3 = new SimulatedService(
      { perSecond: fleet.s3PerSecond, errors: ERRORS, throttled: S3_THROTTLED },
      now,
    );
    const kms = new SimulatedService(
      { perSecond: fleet.kmsPerSecond, errors: ERRORS, throttled: KMS_THROTTLED },
      now,
    );
    services = { s3, kms };
    const world: World = { s3, kms, now, hasChanged: () => now() >= changedAt };
    for (let index = 0; index < fleet.watchers; index += 1) {
      void watch(world, fleet, Math.random() * spreadMs, () => delaysMs.push(now() - changedAt));
    }
    return () => delaysMs.length === fleet.watchers || now() > endsAt;
  });
  if (services === undefined) throw new Error("the simulation did not begin");
  return { delaysMs, lost: fleet.watchers - delaysMs.length, ...services };
}

interface World {
  readonly s3: SimulatedService;
  readonly kms: SimulatedService;
  readonly now: () => number;
  readonly hasChanged: () => boolean;
}

/** Goes on looking after it has the new version, as the real ones do. */
async function watch(world: World, fleet: Fleet, startMs: number, onNew: () => void): Promise<never> {
  let hasNew = false;
  await sleep(startMs);
  for (;;) {
    await sleep(waitBeforeLook(fleet.everyMs, fleet.jitter ? Math.random : () => 0.5));
    if ((await look(world, hasNew)) === "opened") {
      hasNew = true;
      onNew();
    }
  }
}

/** One look: a conditional GET; where it tells of a change, a GetObject and a Decrypt. One deadline over all of it. */
async function look(world: World, hasNew: boolean): Promise<"unchanged" | "opened" | "failed"> {
  const deadline = new Deadline(LOOK_TIMEOUT_MS, world.now);
  const context: Context = { env: {}, deadline, now: world.now, log };
  const call = (service: SimulatedService, operation: string): Promise<void> =>
    retry(context, { attemptMs: ATTEMPT_MS, classify: (error) => classify(operation, error) }, () =>
      service.call(),
    );
  try {
    await call(world.s3, "GetObject");
    if (hasNew || !world.hasChanged()) return "unchanged";
    await call(world.s3, "GetObject");
    await call(world.kms, "Decrypt");
    return "opened";
  } catch {
    return "failed";
  } finally {
    deadline.clear();
  }
}
