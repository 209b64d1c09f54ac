import assert from "node:assert/strict";
import { test } from "node:test";
import { DIALECTS, parseDialect } from "../../../src/dialects/dialect.ts";
import { parseText } from "../../../src/dialects/parse.ts";

const TEXTS = {
  dotenv: "A='x y'\n",
  docker: "A=x y\nB\n",
  json: '{"A":"x y"}',
  yaml: "A: x y\n",
} as const;

for (const [name, text] of Object.entries(TEXTS))
  test(`a text is read as ${name} where it is said to be`, async () => {
    const dialect = parseDialect(name) ?? assert.fail(name);
    const variables = await parseText(Buffer.from(text), dialect, (unset) => unset.toLowerCase());
    const expected = [["A", "x y"], ...(name === "docker" ? [["B", "b"]] : [])];
    assert.deepEqual(
      [...variables].map(([variable, value]) => [variable, value.reveal()]),
      expected,
    );
  });

test("there is no other dialect", () => {
  assert.deepEqual(DIALECTS, Object.keys(TEXTS));
  for (const name of ["", "env", "JSON", "yml", "toString"])
    assert.equal(parseDialect(name), undefined, name);
});
