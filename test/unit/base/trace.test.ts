import assert from "node:assert/strict";
import { test } from "node:test";
import { createTrace } from "../../../src/base/trace.ts";

const NUMBERS = /^ *(\d+\.\d\d) ms {2}\+ *(\d+\.\d\d) {2}(.+) {2}\((\d+\.\d{3})\)$/;

test("each moment has its time since the process began, since the one before, and by the clock", () => {
  const times = [10_000_000, 10_000_500.25, 10_000_600];
  const trace = createTrace(() => times.shift() ?? 0);
  trace.mark("first");
  trace.mark("a second");
  const lines = trace.lines().map((line) => NUMBERS.exec(line)?.slice(1) ?? [line]);
  const [[began = "", , first, at] = [], [then = "", passed, second, later] = []] = lines;
  assert.deepEqual([first, at, second, later], ["first", "10000000.000", "a second", "10000500.250"]);
  assert.equal(passed, "500.25");
  assert.equal((Number(then) - Number(began)).toFixed(2), "500.25");
});

test(
  "the beginning is the kernel's, and nothing is before it",
  { skip: process.platform !== "linux" },
  () => {
    const trace = createTrace(() => Date.now());
    trace.mark("now");
    const [line = ""] = trace.lines();
    const [, since = "", , , now = ""] = NUMBERS.exec(line) ?? [];
    // The runtime's own time of its beginning is a little later; the kernel's is told to a tick.
    const ahead = Number(since) - (Number(now) - performance.timeOrigin);
    assert.ok(ahead > -50 && ahead < 60_000, line);
    const early = createTrace(() => 1_000);
    early.mark("long ago");
    assert.ok(Number(NUMBERS.exec(early.lines()[0] ?? "")?.[1]) >= 0);
    // A clock that was set back since: the first moment is the beginning then.
    const times = [1_000, 1e15];
    const back = createTrace(() => times.shift() ?? 0);
    back.mark("before");
    assert.equal(NUMBERS.exec(back.lines()[0] ?? "")?.[1], "0.00");
    assert.deepEqual(createTrace(() => 0).lines(), []);
  },
);
