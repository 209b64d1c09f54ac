import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { explainCredentials, explainVariables } from "../../../src/sources/explain.ts";
import { Secret } from "../../../src/base/secret.ts";

const source = (uri: string, ...names: string[]) => ({
  uri,
  variables: new Map(names.map((name) => [name, new Secret("canary-91c2")])),
});
const OPENED = [source("s3://b/base", "A", "B"), source("dir:/run/secrets", "B", "C"), source("file:x", "B")];
const policy = { keepExisting: false, pristine: false, pass: new Set<string>() };

describe("--explain", () => {
  test("each variable, what it came from and what it is over", () => {
    const lines = explainVariables(OPENED, { inherited: new Set(["B", "PATH"]), policy });
    assert.deepEqual(lines, [
      "A: from s3://b/base",
      "B: from file:x, over dir:/run/secrets, s3://b/base and the environment",
      "C: from dir:/run/secrets",
    ]);
  });
  test("--keep-existing: the environment wins", () => {
    const lines = explainVariables(OPENED, {
      inherited: new Set(["A"]),
      policy: { ...policy, keepExisting: true },
    });
    assert.equal(lines[0], "A: from the environment, over s3://b/base");
  });
  test("--pristine: what is not passed is not there to be put over", () => {
    const pristine = { ...policy, pristine: true, pass: new Set(["C"]) };
    const lines = explainVariables(OPENED, { inherited: new Set(["A", "C"]), policy: pristine });
    assert.deepEqual(
      [lines[0], lines[2]],
      ["A: from s3://b/base", "C: from dir:/run/secrets, over the environment"],
    );
  });
  test("what is left out of a source, and what is dropped of the environment, by name", () => {
    const opened = [
      { ...source("s3://b/k", "A"), leftOut: ["Z", "X"] },
      { ...source("dir:d"), leftOut: ["Y"] },
    ];
    const drop = { names: new Set(["VAULT_TOKEN", "A"]), prefixes: ["AWS_"] };
    const inherited = new Set(["VAULT_TOKEN", "PATH", "AWS_REGION", "A"]);
    assert.deepEqual(explainVariables(opened, { inherited, policy: { ...policy, drop } }), [
      "A: from s3://b/k",
      "X: left out of s3://b/k, as --only does not name it",
      "Y: left out of dir:d, as --only does not name it",
      "Z: left out of s3://b/k, as --only does not name it",
      "A: of the environment, dropped",
      "AWS_REGION: of the environment, dropped",
      "VAULT_TOKEN: of the environment, dropped",
    ]);
  });
  test("the credentials, and why not those before them", () => {
    assert.deepEqual(
      explainCredentials({
        source: "profile dev",
        passedOver: ["environment: AWS_ACCESS_KEY_ID is not set"],
      }),
      ["credentials: from profile dev", "credentials: not from environment: AWS_ACCESS_KEY_ID is not set"],
    );
  });
});
