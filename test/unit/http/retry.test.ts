import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import type { Failure, Transient } from "../../../src/http/failure.ts";
import { retry } from "../../../src/http/retry.ts";
import type { RetryOptions } from "../../../src/http/retry.ts";
import { AttemptTimeout } from "../../../src/http/failure.ts";
import { SealexecError } from "../../../src/base/errors.ts";
import type { ErrorKind } from "../../../src/base/errors.ts";
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
});
