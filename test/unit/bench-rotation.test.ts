/** The parts of bench/rotation.ts: its services refuse exactly what is over their rate, its peaks are counted right, and no watcher is lost unseen. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { simulate, sleep } from "../../bench/fleet/clock.ts";
import { SimulatedService } from "../../bench/fleet/service.ts";
import { delayOf, peakPerSecond, summarize, worst } from "../../bench/rotation/report.ts";
import { rotate } from "../../bench/rotation/watchers.ts";
import type { Fleet } from "../../bench/rotation/watchers.ts";

describe("a service of three requests a second", () => {
  const ROUND_TRIP_MS = 15;

  /** Asks at these moments, milliseconds; when each answer came and what it was. */
  async function ask(moments: readonly number[], errors = 0): Promise<[number, string][]> {
    const answers: [number, string][] = [];
    await simulate(1, (now) => {
      const throttled = { code: "SlowDown", status: 503 };
      const service = new SimulatedService({ perSecond: 3, errors, throttled }, now);
      for (const moment of moments) {
        void sleep(moment)
          .then(() => service.call())
          .then(
            () => answers.push([now(), "taken"]),
            (error: Error) => answers.push([now(), error.name]),
          );
      }
      return () => answers.length === moments.length;
    });
    return answers;
  }

  test("takes three, and refuses the fourth of the same second", async () => {
    const answers = await ask([1, 2, 3, 4]);
    assert.deepEqual(
      answers.map(([, answer]) => answer),
      ["taken", "taken", "taken", "SlowDown"],
    );
    assert.equal(answers[0]?.[0], 1 + ROUND_TRIP_MS);
  });
  test("counts any second gone by, not those of a clock on the wall", async () => {
    const answers = await ask([900, 950, 990, 1_010, 1_899, 1_900, 1_949, 1_950]);
    const names = answers.map(([, answer]) => answer);
    assert.deepEqual(names, [
      "taken",
      "taken",
      "taken",
      "SlowDown",
      "SlowDown",
      "taken",
      "SlowDown",
      "taken",
    ]);
  });
  test("does not count what it refused", async () => {
    const answers = await ask([1, 2, 3, 500, 600, 700, 800, 1_001]);
    assert.equal(answers.at(-1)?.[1], "taken");
  });
  test("fails all that it takes where it is broken", async () => {
    const answers = await ask([1, 2, 3, 4], 1);
    assert.deepEqual(
      answers.map(([, answer]) => answer),
      ["InternalError", "InternalError", "InternalError", "SlowDown"],
    );
  });
});

describe("the peak of any second", () => {
  test("is of a window that is open at one end", () => {
    assert.equal(peakPerSecond([]), 0);
    assert.equal(peakPerSecond([7]), 1);
    assert.equal(peakPerSecond([0, 999]), 2);
    assert.equal(peakPerSecond([0, 1_000]), 1);
    assert.equal(peakPerSecond([0, 600, 1_200, 1_300, 1_500, 3_000]), 4);
  });
  test("is what counting each window from its end gives", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5_000), { maxLength: 60 }), (moments) => {
        const sorted = moments.toSorted((a, b) => a - b);
        const counts = sorted.map((end) => sorted.filter((t) => t > end - 1_000 && t <= end).length);
        assert.equal(peakPerSecond(sorted), Math.max(0, ...counts));
      }),
    );
  });
});

describe("the delay of a part of the fleet", () => {
  const delaysMs = [10, 20, 30, 40];
  test("is that of the last watcher of the part", () => {
    assert.equal(delayOf(0.5, { delaysMs, lost: 0 }), 20);
    assert.equal(delayOf(0.51, { delaysMs, lost: 0 }), 30);
    assert.equal(delayOf(1, { delaysMs, lost: 0 }), 40);
  });
  test("counts those that are lost: all of the fleet never has it", () => {
    assert.equal(delayOf(0.5, { delaysMs, lost: 4 }), 40);
    assert.equal(delayOf(1, { delaysMs, lost: 1 }), Infinity);
  });
});

describe("a rotation", () => {
  const fleet: Fleet = {
    watchers: 300,
    everyMs: 10_000,
    jitter: true,
    start: "in step",
    s3PerSecond: 5_500,
    kmsPerSecond: 5_500,
  };
  test("reaches every watcher, with one look and one Decrypt each where nothing is throttled", async () => {
    const rotation = await rotate(1, fleet);
    assert.equal(rotation.delaysMs.length, fleet.watchers);
    const summary = summarize(rotation);
    assert.equal(summary.lost + summary.s3Over + summary.kmsOver, 0);
    // All look once, open, and decrypt; some calls of a service that fails one in a thousand are made twice.
    assert.ok(
      rotation.kms.taken.length >= fleet.watchers && rotation.kms.taken.length <= fleet.watchers + 10,
    );
    assert.ok(rotation.s3.taken.length >= 2 * fleet.watchers);
    // An interval and its tenth, the round trips, and what one retry may take.
    assert.ok(summary.allMs < 16_000, `${summary.allMs} ms`);
    assert.ok(summary.halfMs > 0 && summary.halfMs <= summary.mostMs && summary.mostMs <= summary.allMs);
  });
  test("reaches every watcher through quotas that are too small", async () => {
    for (const quota of [{ kmsPerSecond: 20 }, { s3PerSecond: 80 }]) {
      const { delaysMs, lost, s3, kms } = await rotate(2, { ...fleet, ...quota });
      assert.equal(delaysMs.length, fleet.watchers);
      assert.equal(lost, 0);
      const service = "kmsPerSecond" in quota ? kms : s3;
      assert.ok(service.throttled > 0);
      assert.equal(peakPerSecond(service.taken), Object.values(quota)[0]);
    }
  });
  test("says who was lost", async () => {
    const { delaysMs, lost } = await rotate(1, { ...fleet, watchers: 20, everyMs: 2_000, kmsPerSecond: 0 });
    assert.equal(delaysMs.length, 0);
    assert.equal(lost, 20);
  });
  test("has its peak where all are in step and nothing spreads them", async () => {
    const exact = summarize(await rotate(1, { ...fleet, jitter: false }));
    const jittered = summarize(await rotate(1, fleet));
    const spread = summarize(await rotate(1, { ...fleet, start: "spread" }));
    assert.ok(exact.s3Peak >= fleet.watchers);
    assert.ok(exact.s3Peak > jittered.s3Peak && jittered.s3Peak > spread.s3Peak);
  });
  test("is the same for the same seed, and leaves Math.random as it was", async () => {
    const { random } = Math;
    const [first, second, other] = [await rotate(3, fleet), await rotate(3, fleet), await rotate(4, fleet)];
    assert.deepEqual(first.delaysMs, second.delaysMs);
    assert.notDeepEqual(first.delaysMs, other.delaysMs);
    assert.equal(Math.random, random);
  });
});

test("of several seeds the worst of each figure is told", () => {
  const zero = {
    halfMs: 0,
    mostMs: 0,
    allMs: 0,
    s3Peak: 0,
    kmsPeak: 0,
    s3Over: 0,
    kmsOver: 0,
    requests: 0,
    lost: 0,
  };
  const parts = Object.keys(zero).map((name, index) => ({ ...zero, [name]: index + 1 }));
  assert.deepEqual(
    worst(parts),
    Object.fromEntries(Object.keys(zero).map((name, index) => [name, index + 1])),
  );
});
