import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chooseRevision } from "../../../src/desk/revision.ts";
import { MOST_AHEAD_MS } from "../../../src/envelope/index.ts";
import { refuses } from "../refuses.ts";

const STORE = Date.parse("2026-11-20T10:00:00Z");
/** A local clock beside that of the store. */
const at = (offsetMs: number) => ({ local: STORE + offsetMs, store: STORE });

describe("the revision of what is written next", () => {
  test("is the local time as long as the store agrees by two seconds, and its time otherwise", () => {
    for (const offsetMs of [-2_000, -1, 0, 2_000])
      assert.equal(chooseRevision(undefined, undefined, at(offsetMs)), STORE + offsetMs);
    for (const offsetMs of [-3_600_000, -2_001, 2_001, 3_600_000])
      assert.equal(chooseRevision(undefined, undefined, at(offsetMs)), STORE);
    assert.equal(chooseRevision(undefined, undefined, { local: 5, store: undefined }), 5);
  });
  test("is more than the one before, up to one that opens nowhere: that one counts for nothing", () => {
    const largest = STORE + MOST_AHEAD_MS;
    assert.equal(chooseRevision(STORE - 1, undefined, at(0)), STORE);
    assert.equal(chooseRevision(STORE, undefined, at(0)), STORE + 1);
    assert.equal(chooseRevision(largest - 1, undefined, at(0)), largest);
    for (const before of [largest, largest + 1, Number.MAX_SAFE_INTEGER])
      assert.equal(chooseRevision(before, undefined, at(0)), STORE);
  });
  test("is the one that was asked for, as far ahead of the store's clock as one may be opened", () => {
    const largest = STORE + MOST_AHEAD_MS;
    for (const given of [1, STORE, largest])
      assert.equal(chooseRevision(STORE + 7, given, at(3_600_000)), given);
    refuses(() => chooseRevision(undefined, largest + 1, at(3_600_000)), "usage", /ahead of the clock/);
  });
});
