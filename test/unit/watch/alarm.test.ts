import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Alarm } from "../../../src/watch/alarm.ts";

/** One whose time comes in an hour. */
async function withAlarm(work: (alarm: Alarm) => Promise<void>): Promise<void> {
  const alarm = new Alarm(3_600_000, []);
  try {
    await work(alarm);
  } finally {
    alarm.close();
  }
}

describe("what is to be looked at, where it was rung more than once during a look", () => {
  for (const [rung, range] of [
    [["local"], "local"],
    [["local", "local"], "local"],
    [["local", "all"], "all"],
    [["all", "local"], "all"],
  ] as const) {
    test(`${rung.join(", then ")}: ${range}`, () =>
      withAlarm(async (alarm) => {
        for (const each of rung) alarm.ring(each);
        assert.equal(await alarm.next(), range);
        // That look is the answer to all of them; the next waits for somebody to ring.
        const next = alarm.next();
        alarm.ring("local");
        assert.equal(await next, "local");
      }));
  }
});
