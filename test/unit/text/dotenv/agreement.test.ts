import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { agreedValue } from "../../../../src/text/dotenv/parse.ts";

const ASSIGNMENT = { line: 7, name: "A", text: "A=x", value: "x", isCut: false };

describe("agreedValue", () => {
  it("is the value that both give", () => {
    assert.equal(agreedValue(ASSIGNMENT, { A: "x" }), "x");
  });

  const answers: readonly Readonly<Record<string, string>>[] = [
    {},
    { B: "x" },
    { A: "y" },
    { A: "" },
    { A: "x", B: "" },
    { B: "", A: "x" },
  ];
  for (const answer of answers) {
    it(`refuses ${JSON.stringify(answer)}`, () => {
      assert.throws(() => agreedValue(ASSIGNMENT, answer), {
        kind: "data",
        message: "line 7: dotenv reads this assignment in another way",
      });
    });
  }
});
