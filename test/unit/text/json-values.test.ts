/** Values that JSON can write and no variable can hold, or that JSON.parse has changed already. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseJson, variablesOf } from "../../../src/text/json.ts";
import { refuses } from "../refuses.ts";

describe("JSON values that would come out as others", () => {
  for (const [text, message] of [
    ['{"A": "canary\\u0000canary"}', /^A holds a NUL$/],
    ['{"A": "\\ud800canary"}', /half of a surrogate pair$/],
    ['{"A": "canary\\udc00"}', /half of a surrogate pair$/],
  ] as const) {
    test(`${text} is refused`, () => {
      for (const read of [
        () => parseJson(Buffer.from(text)),
        () => variablesOf(JSON.parse(text) as Record<string, unknown>),
      ]) {
        const error = refuses(read, "data", message);
        assert.doesNotMatch(`${error.message} ${error.hint}`, /canary/);
      }
    });
  }

  for (const number of ["12345678901234567890", "9007199254740993", "1e400"]) {
    test(`${number} keeps its text, or is refused where it was lost before`, () => {
      const text = `{"A": ${number}}`;
      assert.equal(parseJson(Buffer.from(text)).get("A")?.reveal(), number);
      const lost = (): unknown => variablesOf(JSON.parse(text) as Record<string, unknown>);
      assert.doesNotMatch(refuses(lost, "data", /^A is a number with more digits/).message, /123456/);
    });
  }

  test("others are as they were written", () => {
    const text = '{"A": "\\ud83d\\ude42", "B": 9007199254740991, "C": -1.5, "D": true, "E": ""}';
    const values = [...parseJson(Buffer.from(text))].map(([name, value]) => `${name}=${value.reveal()}`);
    assert.deepEqual(values, ["A=🙂", "B=9007199254740991", "C=-1.5", "D=true", "E="]);
  });
});
