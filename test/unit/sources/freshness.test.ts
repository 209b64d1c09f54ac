import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MOST_AHEAD_MS } from "../../../src/envelope/index.ts";
import { lagOf, refuseAhead, refuseLag } from "../../../src/sources/freshness.ts";
import { refuses } from "../refuses.ts";

const NOON = Date.UTC(2026, 10, 20, 12);

describe("a revision of the future", () => {
  test("ten minutes ahead of the store's clock is the most", () => {
    assert.equal(MOST_AHEAD_MS, 600_000);
    refuseAhead(NOON + 600_000, { date: NOON });
    refuses(() => refuseAhead(NOON + 600_001, { date: NOON }), "data", /10 m ahead of the store's clock$/);
    // The largest that there is.
    refuses(() => refuseAhead(999_999_999_999_999, { date: NOON }), "data", / d ahead of the store's clock$/);
  });
  test("without a store's clock, by this machine's", () => {
    refuseAhead(Date.now() + 500_000, {});
    const { hint } = refuses(() => refuseAhead(Date.now() + 700_000, {}), "data", /this machine's clock$/);
    assert.match(hint ?? "", /NTP/);
  });
  test("the store's clock counts also where this machine's says otherwise", () => {
    refuseAhead(Date.now() + 7_200_000, { date: Date.now() + 7_200_000 });
    refuses(() => refuseAhead(Date.now(), { date: Date.now() - 7_200_000 }), "data");
  });
  test("what has no revision, or counts from 1, is of no future", () => {
    refuseAhead(undefined, { date: NOON });
    refuseAhead(1, { date: NOON });
  });
});

describe("an object that is newer than its revision", () => {
  test("the largest lag is allowed, and no more", () => {
    refuseLag(NOON, { lastModified: NOON + 5_000 }, 5_000);
    refuses(
      () => refuseLag(NOON, { lastModified: NOON + 5_001 }, 5_000),
      "data",
      /^it was written 5 s after its revision 1795176000000, and --max-lag is 5s$/,
    );
  });
  test("a writer's clock may be ahead", () => {
    refuseLag(NOON + 300_000, { lastModified: NOON }, 1_000);
    assert.equal(lagOf(NOON + 300_000, { lastModified: NOON }), -300_000);
  });
  test("where it cannot be told, it is refused", () => {
    refuses(() => refuseLag(undefined, { lastModified: NOON }, 5_000), "data", /^it has no revision, /);
    refuses(() => refuseLag(NOON, {}, 5_000), "data", /^the store does not say when it was written, /);
    assert.equal(lagOf(undefined, { lastModified: NOON }), undefined);
    assert.equal(lagOf(NOON, {}), undefined);
  });
});
