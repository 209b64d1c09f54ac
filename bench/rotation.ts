/**
 * node bench/rotation.ts [--seeds N] [--watchers N] [--kms PER_SECOND] [--share PER_SECOND]
 *
 * A new version of the object, and a fleet of `run --watch`: 10,000 watchers against the 5,500 GET/s that S3 takes of a
 * prefix, and against KMS's quota: as it is for an account in a smaller region, and a small share of it. The retries
 * (src/http/retry.ts) and the waits (src/watch/schedule.ts) are the product's own; the clock and the services are simulated.
 * The goal: with the default interval and KMS's own quota no answer is over a quota, and every watcher gets the version
 * in every case. Exit status 1 where it is not met.
 *
 * node bench/rotation.ts --self-check
 *
 * Makes sure that the limiter counts: quotas that are too small must be felt, never be passed, and nobody lost.
 */
import { parseArgs } from "node:util";
import { headOfTable, peakPerSecond, rowOfTable, summarize, worst } from "./rotation/report.ts";
import type { Summary } from "./rotation/report.ts";
import { rotate } from "./rotation/watchers.ts";
import type { Fleet } from "./rotation/watchers.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "10" },
    watchers: { type: "string", default: "10000" },
    kms: { type: "string", default: "5500" },
    share: { type: "string", default: "500" },
    "self-check": { type: "boolean", default: false },
  },
});

// S3 User Guide, "Best practices design patterns": at least so many GET or HEAD a second for each partitioned prefix.
const S3_PER_SECOND = 5_500;
const DEFAULT_EVERY_S = 60;
const EVERY_S = [DEFAULT_EVERY_S, 10, 300];
const watchers = Number(values.watchers);
const kms = Number(values.kms);

const say = (text: string): void => void process.stdout.write(text);

async function row(fleet: Fleet): Promise<Summary> {
  const summaries: Summary[] = [];
  for (let seed = 1; seed <= Number(values.seeds); seed += 1)
    summaries.push(summarize(await rotate(seed, fleet)));
  const summary = worst(summaries);
  say(rowOfTable(fleet, summary));
  return summary;
}

/** Whether nobody was lost, and, with the default interval and `clean`, nothing was over a quota. */
async function table(title: string, fleets: readonly Fleet[], clean: boolean): Promise<boolean> {
  say(`\n${title}\n${headOfTable()}`);
  let met = true;
  for (const fleet of fleets) {
    const { lost, s3Over, kmsOver } = await row(fleet);
    if (lost > 0) met = false;
    if (clean && fleet.everyMs === DEFAULT_EVERY_S * 1_000 && s3Over + kmsOver > 0) met = false;
  }
  return met;
}

async function measure(): Promise<boolean> {
  say(
    `simulated clock; ${watchers} watchers, S3 ${S3_PER_SECOND}/s; of ${values.seeds} seeds the worst of each figure\n`,
  );
  const fleets = EVERY_S.flatMap((everyS) =>
    (["in step", "spread"] as const).map((start): Fleet => {
      return {
        watchers,
        everyMs: everyS * 1_000,
        jitter: true,
        start,
        s3PerSecond: S3_PER_SECOND,
        kmsPerSecond: kms,
      };
    }),
  );
  const shared = fleets.map((fleet) => ({ ...fleet, kmsPerSecond: Number(values.share) }));
  const exact = fleets
    .filter(({ start }) => start === "in step")
    .map((fleet) => ({ ...fleet, jitter: false }));
  const results = [
    await table(`KMS ${kms}/s`, fleets, true),
    await table(`KMS ${values.share}/s`, shared, false),
    await table(`KMS ${kms}/s, without jitter`, exact, false),
  ];
  const met = results.every(Boolean);
  say(`\nnothing over a quota every ${DEFAULT_EVERY_S} s, and no watcher lost: ${met ? "met" : "NOT MET"}\n`);
  return met;
}

async function selfCheck(): Promise<boolean> {
  const quota = 100;
  const wide: Fleet = {
    watchers: 2_000,
    everyMs: 60_000,
    jitter: true,
    start: "in step",
    s3PerSecond: Infinity,
    kmsPerSecond: Infinity,
  };
  const free = await rotate(1, wide);
  const tightS3 = await rotate(1, { ...wide, s3PerSecond: quota });
  const tightKms = await rotate(1, { ...wide, kmsPerSecond: quota });
  const checks: readonly (readonly [string, boolean])[] = [
    ["without quotas nothing is over one", free.s3.throttled + free.kms.throttled === 0],
    [
      "without quotas more than 100/s come",
      peakPerSecond(free.s3.arrivals) > quota && peakPerSecond(free.kms.arrivals) > quota,
    ],
    ["S3 of 100/s is felt", tightS3.s3.throttled > 0],
    ["S3 of 100/s takes no more", peakPerSecond(tightS3.s3.taken) === quota],
    ["KMS of 100/s is felt", tightKms.kms.throttled > 0],
    ["KMS of 100/s takes no more", peakPerSecond(tightKms.kms.taken) === quota],
    [
      "nobody is lost",
      [free, tightS3, tightKms].every(({ lost, delaysMs }) => lost === 0 && delaysMs.length === 2_000),
    ],
  ];
  for (const [what, ok] of checks) say(`${ok ? "ok" : "NOT OK"}  ${what}\n`);
  return checks.every(([, ok]) => ok);
}

process.exitCode = (await (values["self-check"] ? selfCheck() : measure())) ? 0 : 1;
