import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Backoff, waitBeforeLook } from "../../../src/watch/schedule.ts";

describe("waitBeforeLook", () => {
  test("is the interval, give or take a tenth", () => {
    assert.equal(
      waitBeforeLook(60_000, () => 0.5),
      60_000,
    );
    assert.equal(
      waitBeforeLook(60_000, () => 0),
      54_000,
    );
    assert.ok(Math.abs(waitBeforeLook(60_000, () => 1) - 66_000) < 1e-6);
  });

  test("never leaves those bounds, and takes its chance from Math.random by default", () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 86_400_000 }), (everyMs) => {
        const waitMs = waitBeforeLook(everyMs);
        assert.ok(waitMs >= everyMs * 0.9 && waitMs <= everyMs * 1.1);
      }),
    );
    assert.ok(new Set(Array.from({ length: 20 }, () => waitBeforeLook(60_000))).size > 1);
  });
});

describe("Backoff", () => {
  test("doubles from a second, to a minute at most", () => {
    const backoff = new Backoff();
    const waits = Array.from({ length: 9 }, () => backoff.next(5));
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  test("stays at a minute, however often", () => {
    const backoff = new Backoff();
    for (let times = 0; times < 2_000; times += 1) backoff.next(0);
    assert.equal(backoff.next(0), 60_000);
  });

  test("a long life is followed at once, and forgets the short ones", () => {
    const backoff = new Backoff();
    for (const livedMs of [0, 1, 9_999]) backoff.next(livedMs);
    assert.equal(backoff.next(10_000), 0);
    assert.equal(backoff.next(86_400_000), 0);
    assert.equal(backoff.next(9_999), 1_000);
    assert.equal(backoff.next(0), 2_000);
  });

  test("each has its own count", () => {
    const [one, other] = [new Backoff(), new Backoff()];
    one.next(0);
    assert.equal(one.next(0), 2_000);
    assert.equal(other.next(0), 1_000);
  });

  test("is 0 after a long life alone, and never less than the wait before otherwise", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20_000 })), (lives) => {
        const backoff = new Backoff();
        let before = 0;
        for (const livedMs of lives) {
          const waitMs = backoff.next(livedMs);
          assert.equal(waitMs === 0, livedMs >= 10_000);
          assert.ok(waitMs === 0 || waitMs >= before);
          before = waitMs;
        }
      }),
    );
  });
});
