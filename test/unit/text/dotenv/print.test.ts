import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDotenv } from "../../../../src/text/dotenv/parse.ts";
import { printDotenv } from "../../../../src/text/dotenv/print.ts";
import { Secret } from "../../../../src/base/secret.ts";
import { isCarriable } from "./carriable.ts";
import { reveal, utf8 } from "./reveal.ts";

const note = (quote: string) => ` # the ${quote} before this note closes the value`;

const PRINTED: readonly (readonly [value: string, form: string])[] = [
  ["", ""],
  ["x", "x"],
  ["postgres://u:p@h:5432/d", "postgres://u:p@h:5432/d"],
  ["c2VjcmV0cw==", "c2VjcmV0cw=="],
  ["50%", "50%"],
  ["+1+2", "+1+2"],
  [" ", "' '"],
  [" x ", "' x '"],
  ["\tx", "'\tx'"],
  ["\u00a0x", "'\u00a0x'"],
  ["x y", "'x y'"],
  ["#x", "'#x'"],
  ["x#y", "'x#y'"],
  ["$A", "'$A'"],
  ["$(id)`id`", "'$(id)`id`'"],
  ['{"a":"b"}', '\'{"a":"b"}\''],
  ["x\ny", "'x\ny'"],
  ["x\n", "'x\n'"],
  ["\n", "'\n'"],
  ["x\\ny", "'x\\ny'"],
  ["é🔑", "'é🔑'"],
  ["\u2028x\u2029", "'\u2028x\u2029'"],
  ["it's", '"it\'s"'],
  ["it's\non", '"it\'s\\non"'],
  ["x\ry", '"x\\ry"'],
  ["x\r\ny\r\n", '"x\\r\\ny\\r\\n"'],
  ["\r", '"\\r"'],
  ["x\nB=", '"x\\nB="'],
  ['x\\"\r\n', '"x\\"\\r\\n"'],
  ["it's\\new", "`it's\\new`"],
  ['it\'s "x"', '`it\'s "x"`'],
  ['it\'s "x"\n', '`it\'s "x"\n`'],
  ["'x'", "\"'x'\""],
  ["'\"", "`'\"`"],
  ["\\'x", "'\\'x'"],
  ["x'\"`y", "x'\"`y"],
  ["\\'\"`", "'\\'\"`'"],
  ["\\", "\\"],
  ["C:\\dir\\", "C:\\dir\\"],
  ["C:\\new dir\\", "C:\\new dir\\"],
  ["#1\\", `'#1\\'${note("'")}`],
  ["x\n\\", `'x\n\\'${note("'")}`],
  ["\r\\", `"\\r\\"${note('"')}`],
  ["it's #\\n\\", `\`it's #\\n\\\`${note("`")}`],
];

const UNFIT: readonly (readonly [value: string, hint: RegExp])[] = [
  ["x\0y", /NUL/],
  ["\ud800", /unicode/],
  ["x\udc00y", /unicode/],
  ['"\r', /no quoting/],
  ['{"a":1}\r\n', /no quoting/],
  ["\\n\r", /no quoting/],
  ["\\r\r", /no quoting/],
  ["'\"`\n", /no quoting/],
  [" '\"`", /no quoting/],
  ["#'\"`", /no quoting/],
  ["'\"`", /no quoting/],
  ["x'\"`\u2028", /no quoting/],
  ["'`\\n#", /no quoting/],
  ["\\'\n`\\n\"", /no quoting/],
  ["'`\\n\nB=", /no quoting/],
];

describe("printDotenv", () => {
  for (const [value, form] of PRINTED) {
    it(`writes ${JSON.stringify(value)} as ${JSON.stringify(form)}`, () => {
      assert.equal(isCarriable(value), true);
      assert.equal(printDotenv(new Map([["A", new Secret(value)]])), `A=${form}\n`);
      assert.deepEqual(reveal(parseDotenv(utf8(`A=${form}\n`))), [["A", value]]);
    });
  }

  for (const [value, hint] of UNFIT) {
    it(`refuses ${JSON.stringify(value)}`, () => {
      assert.equal(isCarriable(value), false);
      assert.throws(
        () =>
          printDotenv(
            new Map([
              ["A", new Secret("")],
              ["TOKEN", new Secret(value)],
            ]),
          ),
        {
          name: "SealexecError",
          kind: "data",
          message: "TOKEN: cannot be written in a .env file",
          hint,
        },
      );
    });
  }

  it("keeps the order and ends every line", () => {
    const variables = new Map([
      ["B", new Secret("2")],
      ["A", new Secret("1 1")],
      ["C", new Secret("")],
    ]);
    assert.equal(printDotenv(variables), "B=2\nA='1 1'\nC=\n");
  });

  it("writes nothing for no variables", () => {
    assert.equal(printDotenv(new Map()), "");
  });

  it("keeps a value that ends in a backslash from swallowing those below", () => {
    const values = [" \\", "\nx", " \\", "'", '"\n', "`#\n'"];
    const variables = new Map(values.map((value, i) => [`A${i}`, new Secret(value)]));
    assert.deepEqual(
      reveal(parseDotenv(utf8(printDotenv(variables)))).map(([, value]) => value),
      values,
    );
  });

  for (const name of ["", "a-b", "a.b", "1A", "A B", "A=", "A\nB", "é", "__proto__", "hunter2 hunter2"]) {
    it(`refuses the name ${JSON.stringify(name)} by its position`, () => {
      const variables = new Map([
        ["A", new Secret("")],
        [name, new Secret("")],
      ]);
      assert.throws(() => printDotenv(variables), {
        kind: "data",
        message: "variable 2: invalid name for a .env file",
      });
    });
  }
});
