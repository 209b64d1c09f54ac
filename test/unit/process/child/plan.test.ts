import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { SealexecError } from "../../../../src/base/errors.ts";
import {
  EXECUTING,
  parseOutcome,
  parsePlan,
  printPlan,
  printRefusal,
} from "../../../../src/process/child/plan.ts";
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
  folder: fc.option(fc.nat(255)),
  ignored: fc.array(fc.integer({ min: 1, max: 31 })),
  parent: fc.nat(),
  streamFlags: fc.array(fc.nat(), { maxLength: 3 }),
  ownGroup: fc.boolean(),
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
      folder: 4,
      ignored: [1],
      parent: 7,
      streamFlags: [0, 0, 0],
      ownGroup: true,
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

const refusal = new SealexecError("cannot-execute", "command: /bin/x: the kernel refuses to execute it", {
  code: "some-code",
  hint: "look at its format",
});

describe("what a child says of itself", () => {
  test("that it is about to execute CMD, and no more: it was executed", () => {
    assert.equal(parseOutcome(EXECUTING), "executed");
  });

  for (const before of ["", EXECUTING]) {
    test(`why it cannot, ${before === "" ? "before" : "after"} that: comes back whole`, () => {
      const back = parseOutcome(before + printRefusal(refusal));
      assert.ok(back instanceof SealexecError);
      const { kind, code, message, hint } = back;
      assert.deepEqual(
        { kind, code, message, hint },
        {
          kind: "cannot-execute",
          code: "some-code",
          message: "command: /bin/x: the kernel refuses to execute it",
          hint: "look at its format",
        },
      );
    });
  }

  test("nothing, or a part of either: it was ended before it could tell", () => {
    const line = printRefusal(refusal);
    for (let length = 0; length < EXECUTING.length; length += 1) {
      assert.equal(parseOutcome(EXECUTING.slice(0, length)), "silent");
    }
    for (let length = 0; length < line.length - 1; length += 1) {
      assert.equal(parseOutcome(line.slice(0, length)), "silent");
    }
  });
});
