import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseNames, words } from "../../../src/text/names.ts";
import { refuses } from "../refuses.ts";

describe("names in lists of options", () => {
  test("are taken from all lists, in their order, without what is around them", () => {
    assert.deepEqual(parseNames("--require", []), []);
    assert.deepEqual(parseNames("--require", ["A, b_2 ,_", "", "C,D"]), ["A", "b_2", "_", "C", "D"]);
  });

  for (const bad of ["1A", "A-B", "A B", "A=b", "ż", "A\n", "*", ".A"]) {
    test(`are refused where one is no name: ${JSON.stringify(bad)}`, () => {
      const { message } = refuses(() => parseNames("--pass", [`GOOD,${bad}x`]), "usage", /^--pass: /);
      assert.ok(message.includes(JSON.stringify(`${bad}x`)), message);
    });
  }

  for (const bad of ["A,", ",A", "A,,B", "A, ,B", ","]) {
    test(`have no empty element: ${JSON.stringify(bad)}`, () => {
      refuses(() => parseNames("--pass", [bad]), "usage", /^--pass has an empty element$/);
    });
  }

  test("nothing has no words", () => {
    assert.deepEqual(words(undefined, /,/), []);
    assert.deepEqual(words(" , ,", /,/), []);
    assert.deepEqual(words("a b\tc ", /\s+/), ["a", "b", "c"]);
  });
});
