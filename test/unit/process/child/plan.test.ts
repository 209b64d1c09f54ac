import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parsePlan, printPlan } from "../../../../src/process/child/plan.ts";
import type { Plan } from "../../../../src/process/child/plan.ts";

/** What execve(2) takes: any bytes but NUL. */
const bytes = fc
  .uint8Array({ maxLength: 40 })
  .map((array) => Buffer.from(array.filter((byte) => byte !== 0)));
const limit = fc.option(
  fc
    .tuple(fc.constantFrom(0, 1024, Infinity), fc.constantFrom(4096, Infinity))
    .map(([soft, hard]) => ({ soft, hard })),
  { nil: undefined },
);
const plans: fc.Arbitrary<Plan> = fc.record({
  file: fc.string({ unit: "binary" }),
  args: fc.array(bytes, { minLength: 1, maxLength: 6 }),
  env: fc.array(bytes, { maxLength: 6 }),
  fileLimit: limit,
  fds: fc.array(fc.nat(255)),
  fillers: fc.array(fc.nat(255)),
  folder: fc.option(fc.nat(255)),
  ignored: fc.array(fc.integer({ min: 1, max: 31 })),
  parent: fc.nat(),
  streams: fc.constantFrom({ closed: [], nonblocking: [1] }, { closed: [0, 2], nonblocking: [] }),
  foreground: fc.option(fc.nat()),
});

describe("the plan of a child", () => {
  test("comes back as it was, byte for byte", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const back = parsePlan(printPlan(plan));
        assert.deepEqual(
          { ...back, args: back.args.map(String), env: back.env.map(String) },
          { ...plan, args: plan.args.map(String), env: plan.env.map(String) },
        );
        assert.deepEqual([...back.args, ...back.env].map(hex), [...plan.args, ...plan.env].map(hex));
      }),
    );
  });

  test("is refused where it is not whole, wherever it was cut", () => {
    const whole = printPlan({
      file: "/bin/true",
      args: ["true", "--flag", ""].map((text) => Buffer.from(text)),
      env: ["A=1", "B=two\nlines", "C="].map((text) => Buffer.from(text)),
      fileLimit: { soft: 1024, hard: Infinity },
      fds: [3],
      fillers: [],
      folder: 4,
      ignored: [1],
      parent: 7,
      streams: { closed: [], nonblocking: [] },
      foreground: null,
    });
    for (let end = 0; end < whole.length; end += 1) {
      assert.throws(() => parsePlan(whole.subarray(0, end)), `cut behind byte ${end}`);
    }
    assert.doesNotThrow(() => parsePlan(whole));
  });
});

function hex(buffer: Buffer): string {
  return buffer.toString("hex");
}
