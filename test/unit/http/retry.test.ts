import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import type { Failure, Transient } from "../../../src/http/failure.ts";
import { retry } from "../../../src/http/retry.ts";
import type { RetryOptions } from "../../../src/http/retry.ts";
import { AttemptTimeout } from "../../../src/http/failure.ts";
import type { Deadline } from "../../../src/base/deadline.ts";
import { SealexecError } from "../../../src/base/errors.ts";
import type { ErrorKind } from "../../../src/base/errors.ts";
import type { Waiting } from "../../../src/base/waiting.ts";
import { makeContext } from "../refuses.ts";

class Failed extends Error {
  readonly kind: ErrorKind;
  readonly transient: Transient | undefined;

  constructor(kind: ErrorKind, transient?: Transient) {
    super(kind);
    this.kind = kind;
    this.transient = transient;
  }
}

function classify(error: unknown): Failure {
  if (error instanceof AttemptTimeout)
    return { error: new SealexecError("timeout", "silent"), transient: "hung" };
  assert.ok(error instanceof Failed, String(error));
  const failure = new SealexecError(error.kind, `failed: ${error.kind}`);
  return error.transient === undefined ? { error: failure } : { error: failure, transient: error.transient };
}

const options: RetryOptions = { attemptMs: 1_000, classify };

/** Time runs only as far as somebody waits for it, and `work` runs to its end in it. */
async function inFakeTime<T>(
  t: TestContext,
  timeoutMs: number,
  work: (stage: ReturnType<typeof makeContext>, now: () => number) => Promise<T>,
): Promise<PromiseSettledResult<T> & { readonly endedAtMs: number }> {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let nowMs = 0;
  const stage = makeContext({}, timeoutMs, () => nowMs);
  const ended: PromiseSettledResult<T>[] = [];
  work(stage, () => nowMs).then(
    (value) => ended.push({ status: "fulfilled", value }),
    (reason: unknown) => ended.push({ status: "rejected", reason }),
  );
  for (let steps = 0; steps < 100_000; steps += 1) {
    for (let turns = 0; turns < 10; turns += 1) await Promise.resolve();
    if (ended.length > 0) break;
    nowMs += 5;
    t.mock.timers.tick(5);
  }
  stage.context.deadline.clear();
  const [settled] = ended;
  assert.ok(settled !== undefined, "it never ended");
  return { ...settled, endedAtMs: nowMs };
}

function kindOf(result: PromiseSettledResult<unknown>): string {
  assert.equal(result.status, "rejected");
  assert.ok(result.reason instanceof SealexecError, String(result.reason));
  return result.reason.kind;
}

describe("retry", () => {
  test("gives back what the first attempt gave", async (t) => {
    let calls = 0;
    const result = await inFakeTime(t, 30_000, ({ context }) =>
      retry(context, options, async () => (calls += 1)),
    );
    assert.deepEqual(result, { status: "fulfilled", value: 1, endedAtMs: 0 });
  });

  test("does not try again what was refused", async (t) => {
    let calls = 0;
    const result = await inFakeTime(t, 30_000, ({ context }) =>
      retry(context, options, async () => {
        calls += 1;
        throw new Failed("denied");
      }),
    );
    assert.equal(kindOf(result), "denied");
    assert.equal(calls, 1);
  });

  for (const transient of ["unreachable", "failing", "throttled"] as const) {
    test(`tries ${transient} again until it succeeds, and tells it with -v`, async (t) => {
      let calls = 0;
      const result = await inFakeTime(t, 300_000, async ({ context, log }) => {
        await retry(context, options, async () => {
          calls += 1;
          if (calls < 4) throw new Failed("unavailable", transient);
        });
        return log;
      });
      assert.equal(result.status, "fulfilled");
      assert.equal(calls, 4);
      const told = result.status === "fulfilled" ? result.value : [];
      assert.equal(told.filter((line) => /trying again in \d+ ms \(attempt \d\)/.test(line)).length, 3);
    });
  }

  test("ends inside the deadline with the last failure, after more than one attempt", async (t) => {
    let calls = 0;
    const result = await inFakeTime(t, 5_000, ({ context }) =>
      retry(context, options, async () => {
        calls += 1;
        throw new Failed("unavailable", "failing");
      }),
    );
    assert.equal(kindOf(result), "unavailable");
    assert.ok(calls > 1);
    assert.ok(result.endedAtMs <= 5_000);
  });

  test("a timer that came late, behind the budget's end, sets no other into the past", async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", onWarning);
    let nowMs = 0;
    const { context } = makeContext({}, 30_000, () => nowMs);
    let attempts = 0;
    const work = retry(context, { ...options, budgetMs: 100 }, async () => {
      attempts += 1;
      // The wait that follows is short; by its end this much has gone by.
      setTimeout(() => (nowMs = 5_000), 0);
      throw new Failed("unavailable", "unreachable");
    });
    await assert.rejects(work, { kind: "unavailable" });
    context.deadline.clear();
    await new Promise((resolve) => setTimeout(resolve, 10));
    process.off("warning", onWarning);
    assert.deepEqual(warnings, []);
    assert.ok(attempts > 0);
  });

  test("ends inside a budget that is shorter than the deadline", async (t) => {
    const result = await inFakeTime(t, 60_000, ({ context }) =>
      retry(context, { ...options, budgetMs: 2_000 }, async () => {
        throw new Failed("unavailable", "unreachable");
      }),
    );
    assert.equal(kindOf(result), "unavailable");
    assert.ok(result.endedAtMs <= 2_000);
  });

  test("cuts an attempt that stays silent, and tries again", async (t) => {
    let calls = 0;
    const aborted: boolean[] = [];
    const result = await inFakeTime(t, 30_000, ({ context }) =>
      retry(context, options, (signal) => {
        calls += 1;
        if (calls === 3) return Promise.resolve("there");
        return new Promise<string>(() => {
          signal.addEventListener("abort", () => aborted.push(true));
        });
      }),
    );
    assert.deepEqual(result.status === "fulfilled" && result.value, "there");
    assert.deepEqual(aborted, [true, true]);
  });

  test("ends in silence with timeout; where it failed before that, with that failure", async (t) => {
    const silent = await inFakeTime(t, 3_000, ({ context }) =>
      retry(context, options, () => new Promise(() => {})),
    );
    assert.equal(kindOf(silent), "timeout");
    assert.ok(silent.endedAtMs <= 3_000);
    t.mock.timers.reset();
    let calls = 0;
    const failed = await inFakeTime(t, 900, ({ context }) =>
      retry(context, options, () => {
        calls += 1;
        return calls === 1
          ? Promise.reject(new Failed("unavailable", "unreachable"))
          : new Promise<never>(() => {});
      }),
    );
    assert.equal(kindOf(failed), "unavailable");
  });

  test("waits a part of the window by chance, from the whole of it", async (t) => {
    const waits = async (chance: number): Promise<number[]> => {
      t.mock.method(Math, "random", () => chance);
      const times: number[] = [];
      await inFakeTime(t, 3_600_000, ({ context }, now) =>
        retry(context, options, async () => {
          times.push(now());
          if (times.length < 4) throw new Failed("unavailable", "failing");
        }),
      );
      t.mock.timers.reset();
      t.mock.restoreAll();
      return times.slice(1).map((time, index) => time - (times[index] ?? 0));
    };
    const full = await waits(0.999);
    const half = await waits(0.5);
    const none = await waits(0);
    for (const [index, wait] of full.entries()) {
      assert.ok(wait > (full[index - 1] ?? 0), "each window is wider than the one before");
      assert.ok(Math.abs((half[index] ?? 0) * 2 - wait) <= 20, "half of it by half a chance");
      assert.ok((none[index] ?? 99) <= 5, "nothing of it by none");
    }
  });

  for (const { transient, windows } of [
    // The first window, by what each is wider, and the widest: 1,000 starts at once are spread over as many calls as needed.
    { transient: "throttled", windows: [6_000, 24_000, 32_000, 32_000] },
    { transient: "unreachable", windows: [100, 200, 400, 800, 1_600, 2_000, 2_000] },
    { transient: "failing", windows: [500, 1_000, 2_000, 4_000, 4_000] },
    { transient: "hung", windows: [100, 200, 400, 800, 1_000, 1_000] },
  ] as const) {
    test(`${transient}: waits ${windows.join(", ")} ms at most`, async (t) => {
      t.mock.method(Math, "random", () => 1);
      const times: number[] = [];
      await inFakeTime(t, 3_600_000, ({ context }, now) =>
        retry(context, options, async () => {
          times.push(now());
          if (times.length <= windows.length)
            throw transient === "hung" ? new AttemptTimeout() : new Failed("unavailable", transient);
        }),
      );
      assert.deepEqual(
        times.slice(1).map((time, index) => time - (times[index] ?? 0)),
        windows,
      );
    });
  }

  test("waits for half of what is left at most, and not at all where that is nothing", async (t) => {
    t.mock.method(Math, "random", () => 1);
    const times: number[] = [];
    const result = await inFakeTime(t, 1_000, ({ context }, now) =>
      retry(context, options, async () => {
        times.push(now());
        throw new Failed("timeout", "throttled");
      }),
    );
    assert.equal(kindOf(result), "timeout");
    // 500, 250, 125, 63 and 31 ms, by steps of the clock; half of what is left then is less than 20.
    assert.equal(times.length, 6);
    assert.ok(result.endedAtMs < 1_000 && result.endedAtMs >= 960, String(result.endedAtMs));
  });

  for (const most of [1, 3]) {
    test(`gives up after ${most} attempts where it is to make no more, with the last failure`, async (t) => {
      let calls = 0;
      const result = await inFakeTime(t, 30_000, ({ context }) =>
        retry(context, { ...options, mostAttempts: most }, async () => {
          calls += 1;
          throw new Failed(calls === most ? "denied" : "unavailable", "failing");
        }),
      );
      assert.deepEqual([kindOf(result), calls], ["denied", most]);
    });
  }

  test("an attempt takes what is left of the budget, and what cut it short says less than the failure before", async (t) => {
    let calls = 0;
    const begun: number[] = [];
    const result = await inFakeTime(t, 30_000, ({ context }, now) =>
      retry(context, { ...options, budgetMs: 1_200 }, () => {
        calls += 1;
        begun.push(now());
        return calls === 2
          ? Promise.reject(new Failed("unavailable", "unreachable"))
          : new Promise<never>(() => {});
      }),
    );
    assert.equal(kindOf(result), "unavailable");
    assert.equal(begun[0], 0);
    assert.ok((begun[1] ?? 0) >= 1_000);
    assert.ok(result.endedAtMs <= 1_205, String(result.endedAtMs));
  });

  test("silence for as long as an attempt may take counts over the failure before it", async (t) => {
    let calls = 0;
    const result = await inFakeTime(t, 1_100, ({ context }) =>
      retry(context, options, () => {
        calls += 1;
        return calls === 1
          ? Promise.reject(new Failed("unavailable", "unreachable"))
          : new Promise<never>(() => {});
      }),
    );
    assert.equal(kindOf(result), "timeout");
  });

  test("the deadline ends an attempt and a wait; its failure is the last one", async (t) => {
    t.mock.method(Math, "random", () => 1);
    t.mock.timers.enable({ apis: ["setTimeout"] });
    for (const silent of [true, false]) {
      const { context } = makeContext();
      context.deadline.clear();
      const [controller, signals] = [new AbortController(), [] as AbortSignal[]];
      const deadline = { signal: controller.signal, remainingMs: 10_000 } as Deadline;
      const work = retry({ ...context, deadline }, { ...options, attemptMs: 60_000 }, (signal) => {
        signals.push(signal);
        return silent ? new Promise<never>(() => {}) : Promise.reject(new Failed("unavailable", "throttled"));
      });
      const ended = assert.rejects(work, { kind: silent ? "timeout" : "unavailable" });
      for (let turns = 0; turns < 20; turns += 1) await Promise.resolve();
      Object.assign(deadline, { remainingMs: 0 });
      controller.abort(new Error("the deadline"));
      await ended;
      assert.deepEqual([signals.length, signals[0]?.aborted], [1, true]);
    }
  });

  test("leaves no listener at the deadline's signal", async (t) => {
    let calls = 0;
    const result = await inFakeTime(t, 30_000, async ({ context }) => {
      await retry(context, options, async () => {
        calls += 1;
        if (calls < 5) throw new Failed("unavailable", "unreachable");
      });
      return getEventListeners(context.deadline.signal, "abort").length;
    });
    assert.deepEqual(result.status === "fulfilled" && result.value, 0);
  });

  test("tells who waits why it is tried again, and the log what failed and the count", async (t) => {
    const reasons: string[] = [];
    let calls = 0;
    const result = await inFakeTime(t, 30_000, async ({ context, log }) => {
      const waiting = { because: ({ message }: SealexecError) => void reasons.push(message) };
      await retry({ ...context, waiting: waiting as unknown as Waiting }, options, async () => {
        calls += 1;
        if (calls < 3) throw new Failed("unavailable", "unreachable");
      });
      return log;
    });
    assert.deepEqual(reasons, ["failed: unavailable", "failed: unavailable"]);
    const log = result.status === "fulfilled" ? result.value : [];
    assert.deepEqual(
      log.map((line) => /failed: unavailable; trying again in \d+ ms \(attempt (\d)\)/.exec(line)?.[1]),
      ["1", "2"],
    );
  });
});
