/** What holds for any text, by random ones. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { scanJson } from "../../../src/text/json-scan.ts";
import { parseYaml } from "../../../src/text/yaml/parse.ts";
import { SealexecError } from "../../../src/base/errors.ts";
import { plain } from "./plain.ts";

function accepted(work: () => unknown): { value: unknown } | undefined {
  try {
    return { value: work() };
  } catch (error) {
    assert.ok(error instanceof SyntaxError || error instanceof SealexecError, String(error));
    return undefined;
  }
}

describe("the scanner of JSON", () => {
  test("reads every JSON as JSON.parse does, however it is laid out", () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 5, stringUnit: "binary" }),
        fc.constantFrom(undefined, 1, "\t", " \n"),
        (value, space) => {
          const text = JSON.stringify(value, undefined, space);
          assert.deepEqual(plain(scanJson(text)), JSON.parse(text));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("takes what JSON.parse takes, and nothing else", () => {
    const pieces = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"b"',
      '"\\n"',
      '"\\u0041"',
      '"\\x"',
      '"\t"',
      '"',
      "\\",
      "1",
      "-",
      "0",
      "01",
      "1.5e+3",
      ".",
      "e",
      "true",
      "nul",
      "null",
      " ",
      "\n",
      "\u00a0",
      "'a'",
      "//",
    ];
    let both = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (words) => {
        const text = words.join("");
        const expected = accepted(() => JSON.parse(text) as unknown);
        const found = accepted(() => plain(scanJson(text)));
        // Equal keys are the one thing that it is stricter in, among these.
        if (found === undefined && /"a".*"a"|"b".*"b"/s.test(text)) return;
        assert.deepEqual(found, expected);
        if (found !== undefined) both += 1;
      }),
      { numRuns: 20_000 },
    );
    assert.ok(both > 100, `${both}`);
  });
});

describe("a flat mapping in YAML", () => {
  const value = (text: string): string | undefined => [...parseYaml(Buffer.from(text)).values()][0]?.reveal();

  test("any text comes back from double quotes, as JSON writes it, and from a literal block", () => {
    const text = fc
      .string({ unit: "grapheme" })
      .filter((found) => found.isWellFormed() && !found.includes("\0"));
    fc.assert(
      fc.property(text, (found) =>
        assert.equal(
          value(
            `A: ${JSON.stringify(found).replaceAll(/[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`,
          ),
          found,
        ),
      ),
    );
    const line = fc.stringMatching(/^[!-~]([ -~]*[!-~])?$/);
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), fc.integer({ min: 1, max: 9 }), (lines, indent) => {
        const block = lines.map((found) => `${" ".repeat(indent)}${found}\n`).join("");
        assert.equal(value(`A: |\n${block}`), lines.map((found) => `${found}\n`).join(""));
        assert.equal(value(`A: |-\n${block}`), lines.join("\n"));
        assert.equal(value(`A: >-\n${block}`), lines.join(" "));
      }),
    );
  });
});
