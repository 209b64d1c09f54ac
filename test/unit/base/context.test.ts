/** A step says what went on, where, and how it ended. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { step } from "../../../src/base/context.ts";
import type { Context, StepReport } from "../../../src/base/context.ts";
import { SealexecError } from "../../../src/base/errors.ts";
import { makeContext } from "../refuses.ts";

const URI = "s3://b/k";

/** A context whose clock goes on by 7 ms at each look, and all that it is told. */
function watched() {
  let now = 0;
  const events: string[] = [];
  const { context, steps, log } = makeContext({}, 30_000, () => (now += 7));
  context.deadline.clear();
  const told: Context = {
    ...context,
    trace: { mark: (moment) => void events.push(`mark ${moment}`), lines: () => [] },
    waiting: {
      begin: (stage: string, target: string) => {
        events.push(`begin ${stage} ${target}`);
        return () => void events.push("end");
      },
    } as unknown as NonNullable<Context["waiting"]>,
  };
  return { context: told, steps, log, events };
}

async function failed(error: unknown): Promise<{ thrown: SealexecError; report: StepReport; log: string }> {
  const { context, steps, log, events } = watched();
  let thrown: unknown;
  await assert.rejects(
    step(context, "object", URI, () => {
      throw error;
    }),
    (reason) => {
      thrown = reason;
      return true;
    },
  );
  assert.ok(thrown instanceof SealexecError);
  const [report] = steps;
  assert.ok(report !== undefined && steps.length === 1);
  assert.deepEqual(events, [`begin object ${URI}`, "end"]);
  return { thrown, report, log: log.join("") };
}

describe("a step that goes well", () => {
  test("gives its result, and reports it with its detail, its time and its target", async () => {
    const { context, steps, log, events } = watched();
    const result = await step(
      context,
      "key",
      URI,
      () => Promise.resolve(3),
      (count) => `${count} bytes`,
    );
    assert.equal(result, 3);
    assert.deepEqual(steps, [{ stage: "key", target: URI, ok: true, durationMs: 7, detail: "3 bytes" }]);
    assert.deepEqual(log, [`sealexec: info: key: ${URI}: 3 bytes (7 ms)\n`]);
    assert.deepEqual(events, [`begin key ${URI}`, "mark key", "end"]);
  });

  test("without a detail, and with nobody who looks on", async () => {
    const { context, steps, log } = watched();
    assert.equal(await step(context, "key", URI, () => "x"), "x");
    assert.equal(steps[0]?.detail, undefined);
    assert.deepEqual(log, [`sealexec: info: key: ${URI} (7 ms)\n`]);
    const { onStep: _, waiting: __, trace: ___, ...alone } = context;
    assert.equal(await step(alone, "key", URI, () => "x"), "x");
  });

  test("says for machines which it was, and how long it took in whole milliseconds", async () => {
    const { context } = watched();
    const facts: unknown[] = [];
    let now = 0;
    const log = { ...context.log, info: (_: string, told: unknown) => void facts.push(told) };
    await step({ ...context, log, now: () => (now += 0.6) }, "decrypt", URI, () => undefined);
    assert.deepEqual(facts, [{ code: "step", stage: "decrypt", target: URI, durationMs: 1 }]);
  });
});

describe("a step that fails", () => {
  test("leads the message by stage and target, and reports the error that it throws", async () => {
    const facts = { operation: "GetObject" };
    const own = new SealexecError("missing", "gone", { hint: "put it there", code: "no-such-object", facts });
    const { thrown, report, log } = await failed(own);
    assert.equal(thrown.message, `object: ${URI}: gone`);
    assert.deepEqual([thrown.kind, thrown.hint, thrown.located], ["missing", "put it there", true]);
    assert.deepEqual(thrown.particulars, { code: "no-such-object", stage: "object", target: URI, ...facts });
    assert.deepEqual(
      { ...report },
      { stage: "object", target: URI, ok: false, durationMs: 7, error: thrown },
    );
    assert.equal(log, "");
  });

  test("says nothing more where a step inside has said where it was", async () => {
    const inner = new SealexecError("denied", "no").at("credentials", "AWS");
    const { thrown, report } = await failed(inner);
    assert.equal(thrown, inner);
    assert.equal(report.error, inner);
  });

  for (const [error, message] of [
    [new TypeError("canary"), `object: ${URI}: unexpected TypeError`],
    ["canary", `object: ${URI}: unexpected error`],
  ] as const) {
    test(`${typeof error} that is none of ours is a bug, and its words are not repeated`, async () => {
      const { thrown } = await failed(error);
      assert.deepEqual([thrown.kind, thrown.message, thrown.hint], ["internal", message, undefined]);
      assert.equal(thrown.cause, error);
    });
  }
});
