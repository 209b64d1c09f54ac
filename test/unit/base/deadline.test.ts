import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, mock, test } from "node:test";
import { Deadline, orAborted } from "../../../src/base/deadline.ts";
import { parseTimeout } from "../../../src/cli/context.ts";
import { SealexecError } from "../../../src/base/errors.ts";
import { refuses } from "../refuses.ts";

describe("--timeout", () => {
  for (const [text, ms] of [
    ["1", 1_000],
    ["0.5", 500],
    ["0.001", 1],
    ["30.250", 30_250],
    ["3600", 3_600_000],
  ] as const) {
    test(`${text} s`, () => assert.equal(parseTimeout(text, {}), ms));
  }
  for (const text of [
    "",
    "0",
    "0.0",
    "-1",
    "+1",
    "1e3",
    "0x10",
    " 1",
    "1 ",
    "1s",
    "3601",
    "9999",
    "NaN",
    "Infinity",
    ".5",
    "1.",
    "0.0001",
  ]) {
    test(`refuses ${JSON.stringify(text)}`, () => {
      refuses(() => parseTimeout(text, {}), "usage", /SEALEXEC_TIMEOUT/);
    });
  }
  test("the flag, else the variable, else 30 s", () => {
    assert.equal(parseTimeout("2", { SEALEXEC_TIMEOUT: "3" }), 2_000);
    assert.equal(parseTimeout(undefined, { SEALEXEC_TIMEOUT: "3" }), 3_000);
    assert.equal(parseTimeout(undefined, {}), 30_000);
    for (const text of ["never", ""]) {
      refuses(() => parseTimeout(undefined, { SEALEXEC_TIMEOUT: text }), "usage");
    }
  });
});

describe("the deadline", () => {
  test("aborts with our error when its time is over, and not before", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    let now = 0;
    const deadline = new Deadline(1_000, () => now);
    t.mock.timers.tick((now = 999));
    assert.equal(deadline.signal.aborted, false);
    assert.equal(deadline.remainingMs, 1);
    now = 1_000;
    t.mock.timers.tick(1);
    const reason: unknown = deadline.signal.reason;
    assert.ok(reason instanceof SealexecError);
    assert.equal(reason.kind, "timeout");
    assert.match(reason.message, /1 s/);
    now = 5_000;
    assert.equal(deadline.remainingMs, 0);
  });
  test("does not run while somebody types: what was left is left", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    let now = 0;
    const deadline = new Deadline(1_000, () => now);
    now = 400;
    const typed = await deadline.notDuring(async () => {
      t.mock.timers.tick((now = 90_000));
      return Promise.resolve("typed");
    });
    assert.deepEqual([typed, deadline.signal.aborted, deadline.remainingMs], ["typed", false, 600]);
    t.mock.timers.tick(599);
    assert.equal(deadline.signal.aborted, false);
    t.mock.timers.tick(1);
    assert.equal(deadline.signal.aborted, true);
  });
  test("is over for good once it is cleared", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const deadline = new Deadline(1_000, () => 0);
    deadline.clear();
    t.mock.timers.tick(10_000);
    assert.equal(deadline.signal.aborted, false);
  });
});

describe("the deadline's words", () => {
  test("say how long it was and how to change it, and keep what was caught", () => {
    const deadline = new Deadline(1_500, () => 0);
    deadline.clear();
    const cause = new Error("caught");
    const error = deadline.error(cause);
    assert.deepEqual(
      [error.kind, error.message, error.cause],
      ["timeout", "no answer within the deadline of 1.5 s", cause],
    );
    assert.match(error.hint ?? "", /^raise --timeout \(SEALEXEC_TIMEOUT\)/);
    assert.deepEqual([deadline.isCleared, deadline.timeoutMs], [true, 1_500]);
    const running = new Deadline(1_000, () => 0);
    assert.equal(running.isCleared, false);
    running.clear();
  });

  test("it runs on where what it waited for failed", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    let now = 0;
    const deadline = new Deadline(1_000, () => now);
    now = 400;
    await assert.rejects(
      deadline.notDuring(() => Promise.reject(new Error("own"))),
      /own/,
    );
    t.mock.timers.tick(600);
    assert.equal(deadline.signal.aborted, true);
  });
});

describe("work that may never end", () => {
  const never = new Promise<never>(() => {});

  test("ends as it ends, where it does", async () => {
    const { signal } = new AbortController();
    assert.equal(await orAborted(Promise.resolve(7), signal), 7);
    await assert.rejects(orAborted(Promise.reject(new Error("own")), signal), /own/);
  });
  test("ends with the reason of the signal", async () => {
    const controller = new AbortController();
    const waiting = orAborted(never, controller.signal);
    controller.abort(new Error("reason"));
    await assert.rejects(waiting, /reason/);
    await assert.rejects(orAborted(never, controller.signal), /reason/);
  });
  test("nobody listens to the signal any more once it has ended", async () => {
    const { signal } = new AbortController();
    await orAborted(Promise.resolve(7), signal);
    await assert.rejects(orAborted(Promise.reject(new Error("own")), signal), /own/);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });
  test("a failure that comes too late is nobody's", async () => {
    const unhandled = mock.fn();
    process.once("unhandledRejection", unhandled);
    const aborted = AbortSignal.abort(new Error("reason"));
    await assert.rejects(orAborted(Promise.reject(new Error("late")), aborted), /reason/);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    process.off("unhandledRejection", unhandled);
    assert.equal(unhandled.mock.callCount(), 0);
  });
});
