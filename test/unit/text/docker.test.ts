import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDocker } from "../../../src/text/docker.ts";
import { refuses } from "../refuses.ts";

const SET: Readonly<Record<string, string>> = { HOME: "/home/me", EMPTY: "", BROKEN: "a\uFFFDb" };

function parse(text: string | Uint8Array): [string, string][] {
  const variables = parseDocker(Buffer.from(text), (name) => SET[name]);
  return [...variables].map(([name, secret]) => [name, secret.reveal()]);
}

describe("the form of docker run --env-file", () => {
  // The first seven are those of docker/cli, pkg/kvfile/kvfile_test.go.
  for (const [text, expected] of [
    ["", []],
    ["# comment=\nVAR=VAR_VALUE\n", [["VAR", "VAR_VALUE"]]],
    ["EMPTY_VAR=\nUNDEFINED_VAR\n", [["EMPTY_VAR", ""]]],
    ["HOME\n", [["HOME", "/home/me"]]],
    [
      "foo=bar\n    baz=quux\n",
      [
        ["foo", "bar"],
        ["baz", "quux"],
      ],
    ],
    [
      "with.dots=working\nand_underscore=working too\n",
      [
        ["with.dots", "working"],
        ["and_underscore", "working too"],
      ],
    ],
    ["_foobar=foobaz\n\n    \t  ", [["_foobar", "foobaz"]]],
    ["EMPTY", [["EMPTY", ""]]],
    ["\uFEFFA=1\n", [["A", "1"]]],
    [
      `A="1"\nB='2'\n`,
      [
        ["A", '"1"'],
        ["B", "'2'"],
      ],
    ],
    ["A= 1 # no comment \n", [["A", " 1 # no comment "]]],
    ["A=$HOME ${HOME} `id` \\n\n", [["A", "$HOME ${HOME} `id` \\n"]]],
    ["A=b=c\n", [["A", "b=c"]]],
    [
      "A=1\r\nB=2\r\n",
      [
        ["A", "1"],
        ["B", "2"],
      ],
    ],
    ["A=1\r\r\n", [["A", "1\r"]]],
    ["A=1\rB=2\r", [["A", "1\rB=2"]]],
    ["\u00a0\u0085\v\u2003A=1\n", [["A", "1"]]],
    [
      "A=first\nB=1\nA=last\n",
      [
        ["B", "1"],
        ["A", "last"],
      ],
    ],
    [
      "A=set\nHOME=x\nHOME\n",
      [
        ["A", "set"],
        ["HOME", "/home/me"],
      ],
    ],
    [
      "x-y:z=1\n__proto__=2\n",
      [
        ["x-y:z", "1"],
        ["__proto__", "2"],
      ],
    ],
    ["\t#c\n A\n  ", []],
  ] as const) {
    test(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(parse(text), expected));
  }

  for (const [text, message] of [
    ["foo=canary\n    f   =canary\n", /^line 2: white space in the name$/],
    ["first canary\nanother invalid line", /^line 1: white space in the name$/],
    ["# comment=\n=canary variable names are an error case\n", /^line 2: no variable name before "="$/],
    ["A=1\n\uFEFFB=canary\n", /^line 2: white space in the name$/],
    ["A\u00a0B=canary", /^line 1: white space in the name$/],
    ["A\u001b=canary", /^line 1: control character in the name$/],
    ["A=1\nB=canary\0\n", /^line 2: B: NUL$/],
    ["A\0=canary\n", /^line 1: control character in the name$/],
    ["BROKEN\n", /^line 1: BROKEN: the value that is set is not valid UTF-8$/],
    [Buffer.from("A=1\nB=\xff", "latin1"), /^line 2: invalid UTF-8$/],
    [`A=${"x".repeat(65_534)}`, /^line 1: longer than 65,535 bytes$/],
    [`A=${"ż".repeat(32_767)}`, /^line 1: longer than 65,535 bytes$/],
  ] as const) {
    test(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      const { message: said, hint } = refuses(() => parse(text), "data", message);
      assert.doesNotMatch(said + (hint ?? ""), /canary/);
    });
  }

  test("a line of 65,535 bytes is read", () => {
    const value = "x".repeat(65_533);
    assert.deepEqual(parse(`A=${value}\nB=1`), [
      ["A", value],
      ["B", "1"],
    ]);
  });

  test("a value of its own may be the replacement character", () => {
    assert.deepEqual(parse("A=\uFFFD"), [["A", "\uFFFD"]]);
  });
});
