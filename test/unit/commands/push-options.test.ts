import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parsePushOptions } from "../../../src/commands/push-options.ts";
import type { PushFlags } from "../../../src/commands/push-options.ts";
import { refuses } from "../refuses.ts";

const given = (flags: Partial<PushFlags> = {}, env: Readonly<Record<string, string>> = {}) =>
  parsePushOptions({ format: "v3", bind: true, ...flags }, env);

describe("the options of push", () => {
  test("what is not said is bound, in v3, and over nothing", () => {
    const { context, ...rest } = given();
    assert.deepEqual({ ...context }, {});
    assert.deepEqual(rest, {
      key: undefined,
      format: "v3",
      bind: true,
      revision: undefined,
      sealingFlag: undefined,
      create: false,
      ifMatch: undefined,
      replace: false,
      credentials: undefined,
    });
  });
  test("by variables, and a flag wins", () => {
    const env = {
      SEALEXEC_KEY: "alias/variable",
      SEALEXEC_CONTEXT: "a=1,b=2",
      SEALEXEC_CREDENTIALS: "vault:aws/sts/variable",
    };
    const variables = given({}, env);
    assert.deepEqual([variables.key?.text, { ...variables.context }], ["alias/variable", { a: "1", b: "2" }]);
    const flags = { key: "alias/flag", context: ["c=3"], credentials: "vault:aws/creds/flag" };
    const options = given(flags, env);
    assert.deepEqual([options.key?.text, { ...options.context }], ["alias/flag", { c: "3" }]);
    assert.ok(variables.credentials !== undefined);
    assert.notDeepEqual(options.credentials, variables.credentials);
    assert.deepEqual(options.credentials, given(flags).credentials);
  });
  test("what must be there", () => {
    assert.equal(given({ create: true }).create, true);
    assert.equal(given({ replace: true }).replace, true);
    for (const ifMatch of ["abc", '"abc"']) assert.equal(given({ ifMatch }).ifMatch, '"abc"');
    refuses(() => given({ ifMatch: 'a"b' }), "usage", /^--if-match is not an ETag$/);
  });
  test("a revision is a number from 1, of what is bound", () => {
    assert.equal(given({ revision: "1" }).revision, 1);
    for (const revision of ["0", "-1", "1.5", "x", "1e3", "01"])
      refuses(() => given({ revision }), "usage", /^--revision is not a number from 1$/);
    refuses(() => given({ revision: "1", bind: false }), "usage", /^--revision: .* not bound has none$/);
    assert.equal(given({ bind: false }).bind, false);
  });
  test("the flag that is about sealing; a variable is none, as it may be there for other commands", () => {
    assert.equal(given({ format: "v2" }).sealingFlag, "--format v2");
    assert.equal(given({ format: "v2" }).format, "v2");
    assert.equal(given({ bind: false }).sealingFlag, "--no-bind");
    assert.equal(given({ context: ["a=b"] }).sealingFlag, "--context");
    assert.equal(given({ revision: "7" }).sealingFlag, "--revision");
    assert.equal(given({}, { SEALEXEC_CONTEXT: "a=b" }).sealingFlag, undefined);
    assert.equal(given({ replace: true, force: true, json: true, allow: ["PATH"] }).sealingFlag, undefined);
  });
});
