/** Writing an object: what is sent, what comes back, and whose change stands in the way. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Rule } from "../../../aws/faults.ts";
import { BUCKET } from "../../../e2e/harness.ts";
import { headObject, writeObject } from "../../../../src/stores/s3/write.ts";
import type { Expected, Written } from "../../../../src/stores/s3/write.ts";
import { REF, withS3 } from "./asking.ts";
import type { Place } from "./asking.ts";

const SEALED = { metadata: { "x-amz-c": "115", "x-amz-3": "ours" }, body: Buffer.from("sealed") };
const ABSENT = { kind: "absent" } as const;

const write = ({ tools }: Place, expected: Expected, ref = REF): Promise<Written> =>
  writeObject(ref, SEALED, expected, tools);
const fail = (operation: string, action: string, more: object = {}): Rule =>
  ({ service: "s3", operation, action, times: 1, ...more }) as Rule;
/** S3 does it, and its answer is lost. */
const LOST = fail("PutObject", "answerAs", { status: 503 });

describe("a write", () => {
  test("over nothing, and then over that", () =>
    withS3("directly", REF, async (place) => {
      const { aws } = place;
      let before: string | undefined;
      for (const expected of [ABSENT, undefined]) {
        const { etag, versionId } = await write(place, expected ?? { kind: "etag", etag: before ?? "" });
        const stored = aws.s3.get(BUCKET, REF.key);
        assert.deepEqual([etag, versionId], [stored?.etag, stored?.versionId]);
        assert.deepEqual({ ...stored?.metadata }, SEALED.metadata);
        assert.equal(stored?.body.toString(), "sealed");
        assert.equal(stored?.contentType, "application/octet-stream");
        const { headers = new Map<string, string>() } = aws.calls.at(-1) ?? {};
        assert.deepEqual(
          [headers.get("if-none-match"), headers.get("if-match")],
          expected === undefined ? [undefined, before] : ["*", undefined],
        );
        before = etag;
      }
    }));

  for (const [name, expected, rule, message] of [
    [
      "something is there",
      ABSENT,
      undefined,
      /^there is an object already \(PutObject: PreconditionFailed, request id \w+\)$/,
    ],
    [
      "another is there",
      { kind: "etag", etag: '"0123"' },
      undefined,
      /^the object is no longer the one expected \(PutObject: PreconditionFailed, request id \w+\)$/,
    ],
    [
      "it was deleted",
      { kind: "etag", etag: '"0123"' },
      fail("PutObject", "status", { status: 404, code: "NoSuchKey" }),
      /^the object is no longer the one expected \(PutObject: NoSuchKey, request id \w+\)$/,
    ],
    [
      "somebody else is writing",
      ABSENT,
      fail("PutObject", "status", { status: 409, code: "ConditionalRequestConflict" }),
      /^there is an object already \(PutObject: ConditionalRequestConflict, request id \w+\)$/,
    ],
  ] as const) {
    test(`${name}: a conflict, at the first attempt`, () =>
      withS3("directly", REF, async (place) => {
        const { aws, asked } = place;
        aws.s3.put(BUCKET, REF.key, "theirs");
        if (rule !== undefined) aws.faults.add(rule);
        await assert.rejects(write(place, expected), (error: unknown) => {
          const { kind, message: said, hint, facts } = error as Record<string, unknown>;
          assert.equal(kind, "conflict");
          assert.match(String(said), message);
          assert.match(String(hint), /^somebody was quicker: .*; nothing was overwritten$/);
          const { operation, requestId, httpStatus } = facts as Record<string, unknown>;
          assert.deepEqual([operation, httpStatus], ["PutObject", aws.calls[0]?.status]);
          assert.ok(String(said).includes(String(requestId)));
          return true;
        });
        assert.equal(asked().length, 1);
        assert.equal(aws.s3.get(BUCKET, REF.key)?.body.toString(), "theirs");
      }));
  }

  test("a bucket that is not there is no conflict", () =>
    withS3("directly", REF, async (place) => {
      place.aws.s3.buckets.clear();
      await assert.rejects(write(place, ABSENT), {
        kind: "missing",
        message: /^no such bucket \(PutObject: /,
      });
      assert.deepEqual(place.asked(), ["PutObject 404"]);
    }));

  test("of our own, if only its answer was lost", () =>
    withS3("directly", { ...REF, owner: "111122223333" }, async (place) => {
      const { aws, asked } = place;
      aws.faults.add(LOST);
      const written = await write(place, ABSENT, { ...REF, owner: "111122223333" });
      const stored = aws.s3.get(BUCKET, REF.key);
      assert.deepEqual([written.etag, written.versionId], [stored?.etag, stored?.versionId]);
      assert.equal(aws.s3.versions(BUCKET, REF.key).length, 1);
      assert.deepEqual(asked(), ["PutObject 503", "PutObject 412", "HeadObject 200"]);
      for (const { headers } of aws.calls)
        assert.equal(headers.get("x-amz-expected-bucket-owner"), "111122223333");
    }));

  test("of our own, and somebody else's over it meanwhile, is a conflict", () =>
    withS3("directly", REF, async (place) => {
      const { aws, asked } = place;
      aws.faults.add(fail("PutObject", "status", { status: 503 }));
      // All of it is the same but the wrapped key.
      aws.s3.put(BUCKET, REF.key, "theirs", { ...SEALED.metadata, "x-amz-3": "theirs" });
      await assert.rejects(write(place, ABSENT), { kind: "conflict" });
      assert.deepEqual(asked(), ["PutObject 503", "PutObject 412", "HeadObject 200"]);
    }));

  test("whose answer was lost, and who may not look afterwards is told so", () =>
    withS3("directly", REF, async (place) => {
      place.aws.faults.add(LOST);
      place.aws.faults.add({ service: "s3", operation: "HeadObject", action: "status", status: 403 });
      await assert.rejects(write(place, ABSENT), { kind: "denied", message: /\(HeadObject: / });
    }));
});

describe("a look at what is written", () => {
  test("has its ETag, its version, its metadata and S3's time", () =>
    withS3("directly", REF, async ({ aws, tools }) => {
      aws.clockOffsetMs = 120_000;
      aws.s3.put(BUCKET, REF.key, "x", SEALED.metadata);
      const { date = 0, metadata, ...head } = await headObject(REF, tools);
      const { etag, versionId } = aws.s3.get(BUCKET, REF.key) ?? {};
      assert.deepEqual(head, { etag, versionId });
      assert.deepEqual({ ...metadata }, SEALED.metadata);
      assert.ok(date > Date.now() + 60_000);
    }));

  test("is taken again after a failure, and not after a refusal", () =>
    withS3("directly", REF, async ({ aws, tools, asked }) => {
      aws.s3.put(BUCKET, REF.key, "x");
      aws.faults.add(fail("HeadObject", "status", { status: 503 }));
      await headObject(REF, tools);
      aws.faults.add(fail("HeadObject", "status", { status: 404 }));
      await assert.rejects(headObject(REF, tools), { kind: "missing" });
      assert.deepEqual(asked(), ["HeadObject 503", "HeadObject 200", "HeadObject 404"]);
    }));
});
