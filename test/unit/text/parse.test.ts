import assert from "node:assert/strict";
import { test } from "node:test";
import { DIALECTS, parseDialect } from "../../../src/text/dialect.ts";
import { parseText } from "../../../src/text/parse.ts";

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

test("every dialect is held to what a program can be started with", async () => {
  const names = ["A", "B", "C"];
  const value = "x".repeat(60_000);
  // Each with "=", its end and a pointer: execve(2).
  const bytes = names.length * (1 + 1 + value.length + 1 + 8);
  const written = (pair: (name: string) => string): string => names.map((name) => `${pair(name)}\n`).join("");
  for (const dialect of DIALECTS) {
    const text =
      dialect === "json"
        ? JSON.stringify(Object.fromEntries(names.map((name) => [name, value])))
        : written((name) => (dialect === "yaml" ? `${name}: ${value}` : `${name}=${value}`));
    const parse = (limitBytes: number): ReturnType<typeof parseText> =>
      parseText(
        Buffer.from(text),
        dialect,
        () => undefined,
        () => limitBytes,
      );
    assert.equal((await parse(bytes)).size, 3, dialect);
    await assert.rejects(parse(bytes - 1), { kind: "cannot-execute" }, dialect);
  }
});

test("there is no other dialect", () => {
  assert.deepEqual(DIALECTS, Object.keys(TEXTS));
  for (const name of ["", "env", "JSON", "yml", "toString"])
    assert.equal(parseDialect(name), undefined, name);
});
