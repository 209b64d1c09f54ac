import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration, printDuration, roughDuration } from "../../../src/base/duration.ts";
import { refuses } from "../refuses.ts";

const parse = (text: string): number => parseDuration("--every", text, 100, 86_400_000);

test("a number and a unit; seconds without one", () => {
  const cases: [string, number][] = [
    ["500ms", 500],
    ["60", 60_000],
    ["60s", 60_000],
    ["0.5s", 500],
    ["5m", 300_000],
    ["1.5h", 5_400_000],
    ["1d", 86_400_000],
    ["100ms", 100],
  ];
  for (const [text, ms] of cases) assert.equal(parse(text), ms, text);
});

test("everything else is refused, with the limits and the form", () => {
  for (const text of [
    "",
    "s",
    "5 s",
    "-1s",
    "1e3",
    "5S",
    "5sec",
    "99ms",
    "25h",
    "0",
    "1m30s",
    "Infinity",
    "٥s",
  ]) {
    const { hint } = refuses(() => parse(text), "usage", /^--every is not a duration from 100ms to 1d$/);
    assert.match(hint ?? "", /seconds$/);
    for (const [example] of (hint ?? "").matchAll(/\b\d+[a-z]+\b/g))
      assert.ok(parseDuration("--max-lag", example, 1_000, 31_536_000_000) > 0);
  }
});

test("printed as it would be written, and roughly", () => {
  assert.deepEqual([100, 1_000, 90_000, 3_600_000, 86_400_000].map(printDuration), [
    "100ms",
    "1s",
    "90s",
    "1h",
    "1d",
  ]);
  assert.deepEqual([10, 59_999, 61_000, 7_300_000, 200_000_000].map(roughDuration), [
    "0 s",
    "59 s",
    "1 m",
    "2 h",
    "2 d",
  ]);
});
