import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { Deadline } from "../../../src/base/deadline.ts";
import { SealexecError } from "../../../src/base/errors.ts";
import { createLogger } from "../../../src/base/logger.ts";
import type { Logger } from "../../../src/base/logger.ts";
import { Waiting } from "../../../src/base/waiting.ts";

/** Somebody waits; `pass` lets time go by, and gives what was said meanwhile. */
function wait({ mock: { timers } }: TestContext) {
  timers.enable({ apis: ["setInterval", "setTimeout"] });
  const said: string[] = [];
  const log = createLogger("text", false, (line) => void said.push(line.trimEnd()));
  const deadline = new Deadline(60_000, () => 0);
  const waiting = new Waiting(log, deadline);
  const pass = (ms: number): string[] => {
    timers.tick(ms);
    return said.splice(0);
  };
  return { waiting, deadline, pass };
}

const FAILURE = new SealexecError("unavailable", "GetObject: 503");

describe("what is waited for", () => {
  test("is said after two seconds, once for each thing", (t) => {
    const { waiting, pass } = wait(t);
    const end = waiting.begin("object", "s3://b/a");
    assert.deepEqual(pass(1_999), []);
    assert.deepEqual(pass(1), ["sealexec: notice: waiting for object: s3://b/a: no answer yet"]);
    assert.deepEqual(pass(10_000), []);
    end();
    waiting.begin("key", "k");
    assert.deepEqual(pass(2_000), ["sealexec: notice: waiting for key: k: no answer yet"]);
  });
  test("with the reason; that of what is over is no reason for the next", (t) => {
    const { waiting, pass } = wait(t);
    const end = waiting.begin("object", "s3://b/a");
    waiting.because(FAILURE);
    assert.deepEqual(pass(2_000), [
      "sealexec: notice: waiting for object: s3://b/a: trying again: GetObject: 503",
    ]);
    end();
    waiting.begin("key", "k");
    assert.deepEqual(pass(2_000), ["sealexec: notice: waiting for key: k: no answer yet"]);
  });
  test("is the first of several, then the next", (t) => {
    const { waiting, pass } = wait(t);
    const end = waiting.begin("object", "s3://b/a");
    waiting.begin("object", "s3://b/b");
    assert.match(pass(4_000).join("\n"), /^[^\n]* s3:\/\/b\/a: no answer yet$/);
    end();
    assert.match(pass(2_000).join("\n"), /^[^\n]* s3:\/\/b\/b: no answer yet$/);
  });
  test("is told to machines by stage and target, with what failed", (t) => {
    const facts: unknown[] = [];
    const log = { notice: (_: string, told: unknown) => void facts.push(told) } as unknown as Logger;
    t.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
    const waiting = new Waiting(log, new Deadline(60_000, () => 0));
    waiting.begin("object", "s3://b/a");
    waiting.because(
      new SealexecError("unavailable", "m", { code: "own", facts: { operation: "GetObject" } }),
    );
    t.mock.timers.tick(2_000);
    assert.deepEqual(facts, [
      { operation: "GetObject", code: "waiting", stage: "object", target: "s3://b/a" },
    ]);
  });
  test("the same thing, begun again, is not said again", (t) => {
    const { waiting, pass } = wait(t);
    waiting.begin("object", "s3://b/a")();
    assert.deepEqual(pass(2_000), []);
    const end = waiting.begin("object", "s3://b/a");
    assert.equal(pass(2_000).length, 1);
    end();
    waiting.begin("object", "s3://b/a");
    assert.deepEqual(pass(4_000), []);
  });
  test("is nobody's affair once the deadline is cleared", (t) => {
    const { waiting, deadline, pass } = wait(t);
    waiting.begin("object", "s3://b/a");
    deadline.clear();
    assert.deepEqual(pass(10_000), []);
  });
});
