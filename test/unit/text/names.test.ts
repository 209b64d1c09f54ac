import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parsePatterns, requireNames, requireOnly, takeOnly } from "../../../src/text/names.ts";
import { matchesName } from "../../../src/base/name-patterns.ts";
import { Secret } from "../../../src/base/secret.ts";
import { refuses } from "../refuses.ts";

const variables = (values: Record<string, string>) =>
  new Map(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));

describe("names that are required", () => {
  test("are there and not empty, or are all named", () => {
    const given = variables({ A: "1", EMPTY: "", SPACE: " " });
    requireNames(given, []);
    requireNames(given, ["A", "SPACE"]);
    refuses(() => requireNames(given, ["A", "EMPTY", "NONE"]), "data", /^missing or empty: EMPTY, NONE$/);
    refuses(() => requireNames(given, ["toString", "__proto__"]), "data", /toString, __proto__/);
  });
});

describe("names that alone are taken", () => {
  const patterns = (...lists: string[]) => parsePatterns("--only", lists) ?? assert.fail("no patterns");

  test("are names and beginnings of names, from all lists", () => {
    assert.equal(parsePatterns("--only", []), undefined);
    assert.equal(parsePatterns("--only", [" ", ""]), undefined);
    assert.equal(
      refuses(() => parsePatterns("--only", [" ,"]), "usage").message,
      "--only has an empty element",
    );
    const { names, prefixes } = patterns("A, DB_*", "b2,_*");
    assert.deepEqual(
      [[...names], prefixes],
      [
        ["A", "b2"],
        ["DB_", "_"],
      ],
    );
  });

  for (const bad of ["*", "1A", "A**", "*A", "A*B", "A-B", "A B", "-A", "A\nB"]) {
    test(`are refused where one is neither: ${JSON.stringify(bad)}`, () => {
      const { message } = refuses(
        () => patterns("GOOD", bad),
        "usage",
        /^--only: .* is neither a name nor PREFIX_\*$/,
      );
      assert.ok(message.includes(JSON.stringify(bad)), message);
    });
  }

  test("match whole names, or how a name begins", () => {
    const only = patterns("A,DB_*,AWS_*");
    for (const name of ["A", "DB_", "DB_URL", "AWS_REGION"]) assert.ok(matchesName(only, name), name);
    for (const name of ["AA", "a", "DB", "X_DB_", "db_URL"]) assert.ok(!matchesName(only, name), name);
  });

  test("leave the others out; without any, all are taken", () => {
    const given = variables({ A: "1", B: "2", DB_URL: "3" });
    assert.equal(takeOnly(given, undefined), given);
    assert.deepEqual([...takeOnly(given, patterns("A,DB_*")).keys()], ["A", "DB_URL"]);
  });

  test("are in some source, or are all named; a beginning may match nothing", () => {
    const given = variables({ A: "1", EMPTY: "" });
    requireOnly(given, undefined);
    requireOnly(variables({}), undefined);
    requireOnly(given, patterns("A,EMPTY,NONE_*"));
    refuses(() => requireOnly(given, patterns("A,B,C")), "data", /^in no source: B, C$/);
    refuses(() => requireOnly(given, patterns("B")), "data", /^in no source: B$/);
  });
});
