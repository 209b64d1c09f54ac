/** What Systems Manager's refusals mean where they mean another thing for each operation. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ssmMeaning } from "../../../../src/stores/ssm/meanings.ts";

describe("throttling by Systems Manager", () => {
  // Three writes a second: what spreads a fleet over many seconds would use up the time of a push.
  for (const operation of ["PutParameter", "DeleteParameters"] as const) {
    test(`of ${operation} is this writer's own pace: tried again soon`, () => {
      const meaning = ssmMeaning(operation)("ThrottlingException", "Rate exceeded");
      assert.deepEqual([meaning?.kind, meaning?.transient], ["timeout", "failing"]);
    });
  }
  for (const operation of ["GetParameter", "GetParametersByPath"] as const) {
    test(`of ${operation} is a fleet's, and means what it means everywhere`, () =>
      assert.equal(ssmMeaning(operation)("ThrottlingException", "Rate exceeded"), undefined));
  }
});
