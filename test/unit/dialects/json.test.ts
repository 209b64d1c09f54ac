import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { JsonLiteral, scanJson } from "../../../src/dialects/json-scan.ts";
import type { JsonValue } from "../../../src/dialects/json-scan.ts";
import { parseJson, variablesOf } from "../../../src/dialects/json.ts";
import type { JsonOptions } from "../../../src/dialects/json.ts";
import { SealexecError } from "../../../src/errors.ts";
import { refuses } from "../refuses.ts";

function parse(text: string | Uint8Array, options: JsonOptions = {}): [string, string][] {
  return [...parseJson(Buffer.from(text), options)].map(([name, secret]) => [name, secret.reveal()]);
}

/** What JSON.parse would have made of it. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonLiteral) return JSON.parse(value.text);
  if (value instanceof Map) {
    return Object.fromEntries([...(value as ReadonlyMap<string, JsonValue>)].map(([k, v]) => [k, plain(v)]));
  }
  return Array.isArray(value) ? (value as readonly JsonValue[]).map(plain) : value;
}

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

  test("takes long strings, and many keys, in linear time", () => {
    const long = `${'\\"'.repeat(300_000)}${"\\\\".repeat(300_000)}`;
    assert.deepEqual(parse(`{"A":"${long}"}`), [["A", `${'"'.repeat(300_000)}${"\\".repeat(300_000)}`]]);
  });
});

describe("a JSON object as variables", () => {
  for (const [text, expected] of [
    ["{}", []],
    [
      '\uFEFF {"A":"1","B":""}\r\n',
      [
        ["A", "1"],
        ["B", ""],
      ],
    ],
    [
      '{"A":1.0,"B":1e400,"C":-0,"D":12345678901234567890,"E":true,"F":false}',
      [
        ["A", "1.0"],
        ["B", "1e400"],
        ["C", "-0"],
        ["D", "12345678901234567890"],
        ["E", "true"],
        ["F", "false"],
      ],
    ],
    [
      '{"B":"b\\nc","A":"\\ud83d\\ude42$x `y`"}',
      [
        ["B", "b\nc"],
        ["A", "🙂$x `y`"],
      ],
    ],
  ] as const) {
    test(`reads ${text}`, () => assert.deepEqual(parse(text), expected));
  }

  test("flattens, and takes one key", () => {
    const text = '{"db":{"host":"h","port":{"tcp":1}},"A":"1","list":[1],"none":null}';
    assert.deepEqual(parse(text, { key: "A" }), [["A", "1"]]);
    refuses(() => parse(text, { key: "db" }), "data", /^port is a nested value/);
    assert.deepEqual(parse(text, { key: "db", flatten: "_" }), [
      ["host", "h"],
      ["port_tcp", "1"],
    ]);
    assert.deepEqual(parse('{"db":{"host":"h"},"A":1}', { flatten: "__" }), [
      ["db__host", "h"],
      ["A", "1"],
    ]);
    refuses(() => parse('{"a":{"b":1},"a_b":2}', { flatten: "_" }), "data", /^a_b is there twice/);
    refuses(() => parse(text, { key: "none" }), "data", /^none is null/);
    refuses(() => parse(text, { key: "list", flatten: "_" }), "data", /^list is a nested value/);
    for (const key of ["a", "toString", "__proto__", "db.host"])
      refuses(() => parse(text, { key }), "missing", /^no key/);
  });

  for (const [text, message] of [
    ["", /^line 1: not valid JSON: a value is missing/],
    ["A=canary", /^line 1: not valid JSON/],
    ['"canary"', /^not a JSON object/],
    ["[]", /^not a JSON object/],
    ["1", /^not a JSON object/],
    ["null", /^not a JSON object/],
    ['{"A":"canary"', /^line 1: not valid JSON: "," or "}" is missing/],
    ['{"A":"canary",}', /^line 1: not valid JSON: a name is missing/],
    ['{"A":"canary"}\n{}', /^line 2: text behind the JSON/],
    ['{"A":\n"canary', /^line 2: not valid JSON: a string is not closed/],
    ['{"A":"can\nary"}', /^line 1: not valid JSON: a string is not escaped/],
    ['{"A":"canary","B":1,"A":"canary"}', /^line 1: "A" is there twice/],
    ['{"A":1,"\\u0041":"canary"}', /^line 1: "A" is there twice/],
    ['{"x":{"A":1,"A":"canary"}}', /^line 1: "A" is there twice/],
    ['{"A":null}', /^A is null/],
    ['{"A":["canary"]}', /^A is a nested value/],
    ['{"A":{"B":"canary"}}', /^A is a nested value/],
    ['{"żółw":"canary"}', /^"żółw" is not the name of a variable/],
    ['{"":"canary"}', /^"" is not the name of a variable/],
    ['{"__proto__":"canary"}', /^"__proto__" is not the name of a variable/],
    ['{"A":"canary\\u0000"}', /^A holds a NUL/],
    ['{"A":"canary\\ud800"}', /^line 1: half of a surrogate pair/],
    ['{"A\\udc00":"canary"}', /^line 1: half of a surrogate pair/],
    [Buffer.from('{"A":\n"canary\xff"}', "latin1"), /^line 2: invalid UTF-8/],
    [`{"A":${"[".repeat(100_000)}`, /^line 1: more than 64 values in each other/],
  ] as const) {
    test(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      const { message: said, hint } = refuses(() => parse(text), "data", message);
      assert.doesNotMatch(said + (hint ?? ""), /canary/);
    });
  }

  test("an object that a program has is taken alike", () => {
    const found = variablesOf({ A: "x", B: 1.5, C: true, d: { e: "f" } }, { flatten: "_" });
    assert.deepEqual(
      [...found].map(([name, secret]) => [name, secret.reveal()]),
      [
        ["A", "x"],
        ["B", "1.5"],
        ["C", "true"],
        ["d_e", "f"],
      ],
    );
    refuses(() => variablesOf({ A: undefined }), "data", /^A is a nested value/);
    refuses(() => variablesOf({ A: "\ud800" }), "data", /^A holds half of a surrogate pair/);
  });
});
