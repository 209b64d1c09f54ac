import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SealexecError } from "../../../src/base/errors.ts";

describe("an error", () => {
  test("has a code for machines, which is its kind unless it is told", () => {
    assert.deepEqual(new SealexecError("data", "m").particulars, { code: "data" });
    assert.deepEqual(new SealexecError("data", "m", { code: "c" }).particulars, { code: "c" });
  });

  test("has no hint of its own but for wrong usage", () => {
    assert.equal(new SealexecError("data", "m").hint, undefined);
    assert.match(new SealexecError("usage", "m").hint ?? "", /^sealexec help COMMAND /);
    assert.equal(new SealexecError("usage", "m", { hint: "h" }).hint, "h");
  });

  test("can be at a stage that has no target", () => {
    const error = new SealexecError("usage", "m").at("command");
    assert.deepEqual([error.message, error.stage, error.target], ["command: m", "command", undefined]);
    assert.deepEqual(error.particulars, { code: "usage", stage: "command" });
    assert.match(error.hint ?? "", /^sealexec help COMMAND /);
  });

  test("has no place before it is given one, and then the last counts", () => {
    const first = new SealexecError("data", "m", { facts: { n: 1 } });
    assert.deepEqual([first.located, first.stage, first.name], [false, undefined, "SealexecError"]);
    const second = first.at("object", "a").at("dotenv", "b");
    assert.deepEqual(second.particulars, { code: "data", stage: "dotenv", target: "b", n: 1 });
    assert.equal(second.message, "dotenv: b: object: a: m");
  });

  test("in other words has its old hint unless a new one is given, and leads back to what was caught", () => {
    const caught = new Error("caught");
    const error = new SealexecError("data", "m", { hint: "h", cause: caught });
    assert.deepEqual([error.reworded("n").message, error.reworded("n").hint], ["n", "h"]);
    assert.equal(error.reworded("n", undefined).hint, "h");
    assert.equal(error.reworded("n").at("object").cause, caught);
    const bare = new SealexecError("data", "m");
    assert.equal(bare.reworded("n").cause, bare);
    assert.ok(!("cause" in bare));
  });
});
