import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse as dotenvParse } from "dotenv";
import { parseDotenv } from "../../../../src/text/dotenv/parse.ts";
import { SealexecError } from "../../../../src/base/errors.ts";
import { reveal, utf8 } from "./reveal.ts";
import { REFUSED_CASES } from "./refused-cases.ts";
import { VALID_CASES } from "./valid-cases.ts";

describe("parseDotenv reads", () => {
  for (const [text, variables] of VALID_CASES) {
    it(JSON.stringify(text), () => {
      assert.deepEqual(reveal(parseDotenv(utf8(text))), Object.entries(variables));
      assert.deepEqual(Object.entries(dotenvParse(text)), Object.entries(variables), "dotenv itself");
    });
  }
});

describe("parseDotenv refuses", () => {
  for (const [input, line, what] of REFUSED_CASES) {
    const bytes = typeof input === "string" ? utf8(input) : input;
    it(`${JSON.stringify(Buffer.from(bytes).toString("latin1"))}: line ${line}, ${what}`, () => {
      const error = refusalOf(bytes);
      assert.equal(error.kind, "data");
      const match = /^line (\d+): (.*)$/.exec(error.message);
      assert.ok(match, error.message);
      assert.equal(Number(match[1]), line);
      assert.match(match[2] ?? "", what);
      assert.match(error.hint ?? "", /^[^\n]{10,120}$/);
      assert.equal(error.cause, undefined);
    });
  }
});

describe("parseDotenv on large input", () => {
  const size = 4 * 1024 * 1024;
  const large: Readonly<Record<string, readonly [text: string, count: number]>> = {
    "blank lines": [`${"\n".repeat(size)}A=x`, 1],
    "blank lines of spaces": [`${" \n".repeat(size / 2)}A=x`, 1],
    "one line of spaces": [`A=${" ".repeat(size)}x`, 1],
    "comments with quotes": [`${"# '\"`\n".repeat(size / 6)}A=x`, 1],
    "empty assignments": [Array.from({ length: size / 16 }, (_, i) => `A${i}=\n\n`).join(""), size / 16],
    "values that end in a backslash": [
      Array.from({ length: size / 16 }, (_, i) => `A${i}='\\' \n`).join(""),
      size / 16,
    ],
    "one quoted value": [`A='${"x\n".repeat(size / 2)}'`, 1],
    // dotenv's regular expression finds nothing in a quoted value beyond 8 Mi characters (V8).
    "one quoted value of 9 MiB": [`A='${"x".repeat(9 * 1024 * 1024)}'`, 1],
    "escaped quotes": [`A="${'\\"x '.repeat(size / 4)}"`, 1],
    "escaped line ends": [`A="${"\\n".repeat(size / 2)}"`, 1],
  };
  for (const [label, [text, count]] of Object.entries(large)) {
    // Quadratic time on these would take minutes.
    it(label, { timeout: 20_000 }, () => {
      assert.equal(parseDotenv(utf8(text), () => Infinity).size, count);
    });
  }

  const hostile: Readonly<Record<string, string>> = {
    "blank lines, then a malformed one": `${"\n".repeat(size)}x`,
    "a name without end": "A".repeat(size),
    "spaces without end": `A${" ".repeat(size)}x`,
    "export without end": `export${" ".repeat(size)}`,
    "escaped quotes without end": `A='${"\\' ".repeat(size / 3)}x`,
    "colons without end": "A:".repeat(size / 2),
    "quotes that may close": `A='${"\\' #\n".repeat(size / 5)}'`,
    "carriage returns": `${"\r\n".repeat(size / 2)}\r`,
  };
  for (const [label, text] of Object.entries(hostile)) {
    it(label, { timeout: 20_000 }, () => {
      assert.throws(() => parseDotenv(utf8(text)), { kind: "data" });
    });
  }
});

describe("parseDotenv", () => {
  it("reads the bytes of a view, not of the buffer under it", () => {
    const all = utf8("X=1\nA=x\nY=2\n");
    assert.deepEqual(reveal(parseDotenv(all.subarray(4, 8))), [["A", "x"]]);
  });

  it("keeps no state after a refusal", () => {
    assert.throws(() => parseDotenv(utf8("A='x")), SealexecError);
    assert.deepEqual(reveal(parseDotenv(utf8("A=x"))), [["A", "x"]]);
  });

  it("gives values that do not print", () => {
    assert.equal(JSON.stringify([...parseDotenv(utf8("A=canary"))]), '[["A","[secret]"]]');
  });
});

function refusalOf(bytes: Uint8Array): SealexecError {
  try {
    parseDotenv(bytes);
  } catch (error) {
    assert.ok(error instanceof SealexecError, String(error));
    return error;
  }
  return assert.fail("accepted");
}
