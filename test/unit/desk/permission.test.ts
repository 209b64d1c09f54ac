import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SealexecError } from "../../../src/base/errors.ts";
import { bareEtag, checkPermission, quotedEtag } from "../../../src/desk/permission.ts";
import { parsePushOptions } from "../../../src/commands/push-options.ts";
import { refuses } from "../refuses.ts";

const target = (noun: Parameters<typeof checkPermission>[0]["noun"]) =>
  ({ name: "s3://b/k", noun, largestBytes: 1, look: () => assert.fail("it was looked at already") }) as const;
const changes = { added: ["A"], changed: [], removed: [] };
const there = { kind: "there", etag: '"e1"', same: false, changes, state: { revision: 5 } } as const;
const options = (given: object = {}) => parsePushOptions({ format: "v3", bind: true, ...given }, {});
const check = (
  present: Parameters<typeof checkPermission>[1],
  given: object = {},
  noun = "object" as const,
) => checkPermission(target(noun), present, options(given));

describe("whether a push may write", () => {
  test("over something only with its ETag or with --replace", () => {
    check(there, { replace: true });
    for (const ifMatch of ["e1", '"e1"']) check(there, { ifMatch });
    const bare = refuses(() => check(there), "conflict", /^object: s3:\/\/b\/k: there is an object already /);
    assert.equal(
      bare.message,
      "object: s3://b/k: there is an object already (etag e1, revision 5): this push would add A",
    );
    assert.equal(
      bare.hint,
      "look at it (sealexec pull -v), then push again with --if-match e1, or with --replace; nothing was written",
    );
    assert.deepEqual(bare.facts, { etag: "e1", revision: 5 });
    const other = refuses(() => check(there, { ifMatch: "e2" }), "conflict");
    assert.match(other.message, /: the object is no longer the one expected \(etag e1, revision 5\): /);
    assert.match(other.hint ?? "", /--if-match e1, or with --replace; nothing was written$/);
  });
  test("never over something with --create", () => {
    const { message, hint } = refuses(() => check(there, { create: true }), "conflict");
    assert.match(message, /there is an object already/);
    assert.match(hint ?? "", /--if-match e1 in the place of --create; nothing was written$/);
  });
  test("what has no revision is told by its ETag alone; each thing has its name", () => {
    const bare = { ...there, state: {} };
    for (const [noun, said] of [
      ["object", "an object"],
      ["file", "a file"],
      ["secret", "a secret"],
    ] as const) {
      const work = (): void => checkPermission(target(noun), bare, options());
      const error = refuses(work, "conflict", new RegExp(`there is ${said} already \\(etag e1\\): `));
      assert.deepEqual(error.facts, { etag: "e1" });
    }
  });
  test("where nothing is, unless something is expected", () => {
    for (const given of [{}, { create: true }, { replace: true }]) check({ kind: "absent" }, given);
    const work = (): void => check({ kind: "absent" }, { ifMatch: "e1" });
    const { message, hint } = refuses(work, "conflict");
    assert.match(message, /: the object is no longer the one expected: there is none$/);
    assert.equal(hint, "push again without --if-match; nothing was written");
  });
  test("where it may not be looked at, only if it is said what must be there", () => {
    const error = new SealexecError("denied", "forbidden", { hint: "ask S3" });
    const hidden = { kind: "hidden", error } as const;
    for (const given of [{ create: true }, { ifMatch: "e1" }]) check(hidden, given);
    for (const given of [{}, { replace: true }]) {
      const refused = refuses(() => check(hidden, given), "denied", /^object: s3:\/\/b\/k: forbidden$/);
      assert.equal(refused.hint, "ask S3; or say what must be there: --create, or --if-match ETAG");
    }
    const bare = { kind: "hidden", error: new SealexecError("denied", "forbidden") } as const;
    assert.match(refuses(() => check(bare), "denied").hint ?? "", /^ask for the right to read it; or say /);
  });
  test("parts that are written one by one stand in nobody's way", () => {
    checkPermission(target("parameters"), { kind: "parts", changes }, options());
  });
  test("an ETag has quotes, and people leave them out", () => {
    for (const [given, bare] of [
      ['"e"', "e"],
      ["e", "e"],
      ['"e', "e"],
      ["!#~", "!#~"],
    ] as const) {
      assert.equal(bareEtag(given), bare);
      assert.equal(quotedEtag(given), `"${bare}"`);
    }
    for (const wrong of ["", '""', 'a"b', "a b", "é", "a\u007f", "a\n"])
      refuses(() => quotedEtag(wrong), "usage", /^--if-match is not an ETag$/);
  });
});
