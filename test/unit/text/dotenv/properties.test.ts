import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseDotenv } from "../../../../src/text/dotenv/parse.ts";
import { printDotenv } from "../../../../src/text/dotenv/print.ts";
import { SealexecError } from "../../../../src/base/errors.ts";
import { Secret } from "../../../../src/base/secret.ts";
import { isCarriable } from "./carriable.ts";
import { brokenPrint, brokenPromise } from "./promises.ts";
import { reveal, utf8 } from "./reveal.ts";

const QUOTES = ["'", '"', "`"];
const PIECES = [
  ...QUOTES,
  ...QUOTES.map((quote) => `\\${quote}`),
  "\\",
  "\\",
  "\\n",
  "\\r",
  "\n",
  "\n",
  "\r",
  "\r\n",
  " ",
  "\t",
  "#",
  " # x",
  "=",
  "B=",
  "export B=",
  "$A",
  "${A}",
  "x",
  "it's",
  "é",
  "🔑",
  "\u00a0",
  "\u2028",
  "\u2029",
  "\uFEFF",
  "\u0001",
  ":",
];
const VALUE = fc.oneof(
  { weight: 6, arbitrary: joined(fc.constantFrom(...PIECES), 10) },
  { weight: 2, arbitrary: fc.string({ unit: "grapheme" }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
  { weight: 1, arbitrary: joined(fc.constantFrom("\0", "\ud800", "x", "'"), 4) },
);
const NAME = fc
  .stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/)
  .filter((name) => name !== "__proto__" && name !== "unprintable");
const TEXT = joined(
  fc.constantFrom(
    ...PIECES,
    "A=",
    "A=",
    "A=",
    "C=",
    "\nA=",
    "\nB=",
    "\nC='",
    "\n'",
    "__proto__=",
    "A: ",
    "\0",
  ),
  16,
);

describe("print, then parse", () => {
  it("gives the same variables in the same order, to us and to dotenv", () => {
    const variables = fc.uniqueArray(fc.tuple(NAME, VALUE.filter(isCarriable)), {
      selector: ([name]) => name,
      maxLength: 6,
    });
    fc.assert(
      fc.property(variables, (entries) => {
        const secrets = new Map(entries.map(([name, value]) => [name, new Secret(value)]));
        const text = printDotenv(secrets);
        assert.deepEqual(reveal(parseDotenv(utf8(text))), entries);
        assert.equal(brokenPrint(secrets), undefined);
        assert.equal(printDotenv(parseDotenv(utf8(text))), text);
      }),
      { numRuns: 1500 },
    );
  });

  it("is refused for exactly the values that no quoting carries", () => {
    fc.assert(
      fc.property(VALUE, VALUE, (first, second) => {
        const secrets = new Map([
          ["A", new Secret(first)],
          ["B", new Secret(second)],
        ]);
        assert.equal(brokenPrint(secrets), undefined);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("parse", () => {
  it("refuses a text with a line, or reads it as dotenv does", () => {
    fc.assert(
      fc.property(TEXT, (text) => assert.equal(brokenPromise(utf8(text)), undefined)),
      { numRuns: 8000 },
    );
  });

  it("does so for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => assert.equal(brokenPromise(bytes), undefined)),
      { numRuns: 3000 },
    );
  });
});

describe("an error", () => {
  // Every four characters in a row have a dot among them, so none are a part of a valid name or of our words.
  const FOUR_OF_A_CANARY = /(?=[0-9QXZ]{0,3}\.)[0-9QXZ.]{4}/;
  const canary = joined(fc.stringMatching(/^[0-9][QXZ]{2}\.$/), 3).filter((text) => text !== "");
  const piece = fc.oneof(
    { weight: 2, arbitrary: canary },
    {
      weight: 3,
      arbitrary: fc.constantFrom("A=", "B=", "\n", "\nA=", "\n", " ", "#", ": ", "\r", "\0", "\u2028"),
    },
    { weight: 2, arbitrary: fc.constantFrom(...QUOTES, "\\", "=", "\uFEFF", "\\'", "export ") },
  );

  it("holds no four characters of a value or of a malformed line", () => {
    let seen = 0;
    fc.assert(
      fc.property(joined(piece, 14), (text) => {
        const said = whatIsSaid(() => parseDotenv(utf8(text)));
        seen += said === "" ? 0 : 1;
        assert.doesNotMatch(said, FOUR_OF_A_CANARY);
      }),
      { numRuns: 5000 },
    );
    assert.ok(seen > 1000, `only ${seen} errors`);
  });

  it("holds no four characters of a value that cannot be printed", () => {
    fc.assert(
      fc.property(canary, fc.constantFrom('\r"', "\0", "\ud800", "'\"`\n", "\\n\r"), (text, unfit) => {
        const secrets = new Map([["A", new Secret(`${text}${unfit}${text}`)]]);
        const said = whatIsSaid(() => printDotenv(secrets));
        assert.match(said, /A: cannot be written/);
        assert.doesNotMatch(said, FOUR_OF_A_CANARY);
      }),
    );
  });
});

function joined(piece: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<string> {
  return fc.array(piece, { maxLength }).map((pieces) => pieces.join(""));
}

/** All that could be printed of what `action` throws; empty if it does not. */
function whatIsSaid(action: () => unknown): string {
  try {
    action();
    return "";
  } catch (error) {
    assert.ok(error instanceof SealexecError, String(error));
    return `${error.message}\n${error.hint}\n${JSON.stringify(error)}`;
  }
}
