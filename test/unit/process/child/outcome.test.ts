import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EXECUTING, parseOutcome, printRefusal } from "../../../../src/process/child/outcome.ts";
import { SealexecError } from "../../../../src/base/errors.ts";

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
