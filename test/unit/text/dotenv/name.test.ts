import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDotenvName, isVariableName } from "../../../../src/text/dotenv/name.ts";

describe("isVariableName", () => {
  for (const name of ["A", "a", "_", "A1", "_1", "aB_9", "__proto__", "A".repeat(10_000)]) {
    it(`takes ${JSON.stringify(name.slice(0, 20))}`, () => assert.equal(isVariableName(name), true));
  }
  for (const name of ["", "1", "1A", "a-b", "a.b", "A ", " A", "A\n", "A=", "é", "Aé", "\u212a", "A\0"]) {
    it(`refuses ${JSON.stringify(name)}`, () => assert.equal(isVariableName(name), false));
  }
});

describe("isDotenvName", () => {
  it("refuses what dotenv loses, and only that, among valid names", () => {
    assert.equal(isDotenvName("__proto__"), false);
    assert.equal(isDotenvName("constructor"), true);
    assert.equal(isDotenvName("a-b"), false);
  });
});
