import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { scanJson } from "../../../src/text/json-scan.ts";
import { parseJson, pickJson, variablesOf } from "../../../src/text/json.ts";
import type { JsonOptions } from "../../../src/text/json.ts";
import { refuses } from "../refuses.ts";
import { plain } from "./plain.ts";

function parse(text: string | Uint8Array, options: JsonOptions = {}): [string, string][] {
  return [...parseJson(Buffer.from(text), options)].map(([name, secret]) => [name, secret.reveal()]);
}

describe("the scanner of JSON", () => {
  for (const text of [
    '{"a":[1,[2,"3"],{"b":null}],"c":{"d":[ ]},"e":{ } }',
    " [ true , false ,null,-0.5e+3,\n0 , 10E-2 ]\t",
    '{"a":"\\\\","b":"\\\\\\"","":"\\/\\u0041\\ud83d\\ude42"}',
    `${"[".repeat(64)}${"]".repeat(64)}`,
    `${'{"a":'.repeat(63)}1${"}".repeat(63)}`,
    `${'[{"a":'.repeat(31)}[1]${"}]".repeat(31)}`,
  ])
    test(`reads ${text.slice(0, 30)} as JSON.parse does`, () =>
      assert.deepEqual(plain(scanJson(text)), JSON.parse(text)));

  for (const [text, message] of [
    ['{"a" 1}', /^line 1: not valid JSON: no ":" behind a name/],
    ['{"a":1 "b":2}', /"," or "}" is missing/],
    ['{"a":1,}', /a name is missing/],
    ["{a:1}", /a name is missing/],
    ["[1 2]", /"," or "\]" is missing/],
    ["[1", /"," or "\]" is missing/],
    ["[1,]", /a value is missing/],
    ["[\n+1]", /^line 2: .*a value is missing/],
    ["[1]x", /text behind the JSON/],
    ["01", /text behind the JSON/],
    ['"\\"', /a string is not closed/],
    ['"\\x"', /a string is not escaped/],
    ['"\\ud83d"', /half of a surrogate pair/],
    ["1.", /text behind the JSON/],
    ["1.e5", /text behind the JSON/],
    ["\n\n+1", /^line 3: .*a value is missing/],
    ["[".repeat(65), /more than 64 values in each other/],
    [`${"[".repeat(64)}1`, /more than 64 values in each other/],
    ['{"a":'.repeat(65), /more than 64 values in each other/],
    [`${'{"a":'.repeat(64)}1`, /more than 64 values in each other/],
  ] as const)
    test(`refuses ${text.slice(0, 30)}`, () => {
      assert.throws(() => JSON.parse(text.startsWith('"\\ud') ? "" : text));
      refuses(() => scanJson(text), "data", message);
    });

  test("takes long strings, and many keys, in linear time", () => {
    const long = `${'\\"'.repeat(300_000)}${"\\\\".repeat(300_000)}`;
    assert.deepEqual(parse(`{"A":"${long}"}`), [["A", `${'"'.repeat(300_000)}${"\\".repeat(300_000)}`]]);
  });
});

describe("more values than a program can be started with", () => {
  // execve(2) always takes 131,072 bytes, and the least of a variable is "A=", its end and a pointer: 11.
  const array = (values: number): string => `[${Array.from({ length: values - 1 }, () => "0").join(",")}]`;
  const scan = (values: number, limitBytes: number): number => {
    let asked = 0;
    scanJson(array(values), () => {
      asked += 1;
      return limitBytes;
    });
    return asked;
  };

  test("the limit is asked for once, if it could matter", () => {
    assert.equal(scan(11_915, 0), 0);
    assert.equal(scan(11_916, 11 * 11_916), 1);
    assert.equal(scan(11_917, 11 * 11_917), 1);
  });

  test("are refused while they are read", () => {
    const message = new RegExp(`^more values than the ${11 * 11_916 - 1} bytes`);
    refuses(() => scan(11_916, 11 * 11_916 - 1), "cannot-execute", message);
    refuses(() => scan(11_917, 11 * 11_916), "cannot-execute", /^more values than the 131076 bytes/);
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
    ['{"A":"\uFEFFx\uFEFF"}', [["A", "\uFEFFx\uFEFF"]]],
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

  test("gives the text of one key, of whatever name", () => {
    const text = Buffer.from('{"a b":"1","":2.0,"null":null}');
    assert.equal(pickJson(text, "a b").reveal(), "1");
    assert.equal(pickJson(text, "").reveal(), "2.0");
    refuses(() => pickJson(text, "null"), "data", /^"null" is null/);
    refuses(() => pickJson(text, "a"), "missing", /^no key "a" in the JSON object/);
    const long = "k".repeat(81);
    refuses(() => pickJson(Buffer.from(`{"${long}":null}`), long), "data", /^"k{80}" is null, not a text$/);
  });

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
