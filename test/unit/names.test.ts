import { describe, test } from "node:test";
import { requireNames } from "../../src/names.ts";
import { Secret } from "../../src/secret.ts";
import { refuses } from "./refuses.ts";

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
