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
    ["86400", 86_400_000],
    ["24h", 86_400_000],
    ["0.125m", 7_500],
    ["000000060", 60_000],
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
    "1.0625m",
    "0000000060",
    "86401",
    "1.s",
    ".5s",
    "٥s",
  ]) {
    const { hint } = refuses(() => parse(text), "usage", /^--every is not a duration from 100ms to 1d$/);
    assert.match(hint ?? "", /seconds$/);
    for (const [example] of (hint ?? "").matchAll(/\b\d+[a-z]+\b/g))
      assert.ok(parseDuration("--max-lag", example, 1_000, 31_536_000_000) > 0);
  }
});

test("printed as it would be written, and roughly", () => {
  for (const [ms, text] of [
    [100, "100ms"],
    [999, "999ms"],
    [1_000, "1s"],
    [1_001, "1s"],
    [1_500, "2s"],
    [60_000, "1m"],
    [90_000, "90s"],
    [3_600_000, "1h"],
    [5_400_000, "90m"],
    [86_400_000, "1d"],
    [90_000_000, "25h"],
  ] as const)
    assert.equal(printDuration(ms), text);
  for (const [ms, text] of [
    [10, "0 s"],
    [1_000, "1 s"],
    [59_999, "59 s"],
    [60_000, "1 m"],
    [61_000, "1 m"],
    [3_599_999, "59 m"],
    [3_600_000, "1 h"],
    [7_300_000, "2 h"],
    [86_399_999, "23 h"],
    [86_400_000, "1 d"],
    [200_000_000, "2 d"],
  ] as const)
    assert.equal(roughDuration(ms), text);
});
