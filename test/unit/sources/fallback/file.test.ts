import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseKept, printKept } from "../../../../src/sources/fallback/file.ts";
import { refuses } from "../../refuses.ts";

const text = fc.string({ unit: "binary", maxLength: 20 });
const optional = fc.option(text, { nil: undefined });
const objects = fc.array(
  fc.record({
    uri: text,
    confirmed: fc.integer({ min: 0, max: 4e12 }),
    etag: optional,
    versionId: optional,
    revision: fc.option(fc.integer({ min: 1, max: 1e9 }), { nil: undefined }),
    metadata: fc.dictionary(fc.stringMatching(/^x-amz-[a-z]{1,3}$/), text),
    body: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  }),
  { maxLength: 4 },
);

describe("the file of --fallback", () => {
  test("comes back as it was", () => {
    fc.assert(
      fc.property(objects, (kept) => {
        const plain = (list: typeof kept) => list.map((one) => ({ ...one, metadata: { ...one.metadata } }));
        assert.deepEqual(plain([...parseKept(printKept(kept))] as typeof kept), plain(kept));
      }),
    );
  });

  const whole = {
    uri: "s3://b/k",
    confirmed: "2026-01-01T00:00:00.000Z",
    metadata: { "x-amz-w": "12" },
    body: "AAAA",
  };
  const file = (object: unknown): string =>
    JSON.stringify({ format: "sealexec fallback 1", objects: [object] });
  const strange: Readonly<Record<string, string>> = {
    "no JSON": "x",
    "no object": "null",
    "another program's JSON": JSON.stringify({ format: "x", objects: [] }),
  };
  const cases: Readonly<Record<string, string>> = {
    "no text": "",
    "a part of one": printKept([]).slice(0, 40),
    "another format": JSON.stringify({ format: "sealexec fallback 2", objects: [] }),
    "no list": JSON.stringify({ format: "sealexec fallback 1", objects: {} }),
    "an entry that is none": file(null),
    "no URI": file({ ...whole, uri: undefined }),
    "a time that is none": file({ ...whole, confirmed: "yesterday" }),
    "no body": file({ ...whole, body: 1 }),
    "metadata that are no strings": file({ ...whole, metadata: { "x-amz-w": 12 } }),
    "a revision that is no number": file({ ...whole, revision: "1" }),
  };
  test("one that is whole is read", () => assert.equal(parseKept(file(whole)).length, 1));
  for (const [what, content] of Object.entries(cases)) {
    test(`refuses ${what}`, () => {
      refuses(() => parseKept(content), "data", /^it is damaged, or of another version$/);
    });
  }
  for (const [what, content] of Object.entries(strange)) {
    test(`knows ${what} for what it has not written`, () => {
      refuses(() => parseKept(content), "data", /^it was not written by --fallback$/);
    });
  }
});
