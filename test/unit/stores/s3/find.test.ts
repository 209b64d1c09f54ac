/** What a push finds where it is to write: what is there, or why that cannot be told, and S3's time. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CallFault } from "../../../aws/faults.ts";
import type { Aws } from "../../../aws/server.ts";
import { BUCKET } from "../../../e2e/harness.ts";
import { findObject } from "../../../../src/stores/s3/find.ts";
import type { Found } from "../../../../src/stores/s3/find.ts";
import { REF, WAYS, withS3 } from "./asking.ts";
import type { Way } from "./asking.ts";

const HOUR_MS = 3_600_000;
const METADATA = { "x-amz-c": "115", other: "two words" };

const put = (aws: Aws, body: string | Buffer = "sealed"): string =>
  aws.s3.put(BUCKET, REF.key, body, METADATA).etag;
const answers =
  (fault: CallFault) =>
  (aws: Aws): void => {
    put(aws);
    aws.faults.add({ service: "s3", operation: "GetObject", ...fault });
  };
const refusal = (status: number, code: string) => answers({ action: "status", status, code });

/** What is found, and S3's time of it, which is two minutes ahead of ours. */
async function found(way: Way, given: (aws: Aws) => void): Promise<readonly [Found, readonly string[], Aws]> {
  let result: readonly [Found, readonly string[], Aws] | undefined;
  await withS3(way, REF, async ({ aws, tools, asked }) => {
    aws.clockOffsetMs = 120_000;
    given(aws);
    const from = Math.floor((Date.now() + aws.clockOffsetMs) / 1_000) * 1_000;
    const what = await findObject(REF, tools);
    const { date = 0 } = what;
    assert.ok(date >= from && date <= Date.now() + aws.clockOffsetMs, `${what.kind}: ${date - from}`);
    result = [what, asked(), aws];
  });
  assert.ok(result !== undefined);
  return result;
}

for (const way of WAYS) {
  describe(`what is there, asked ${way}`, () => {
    test("an object, whole, with all that S3 says of it", async () => {
      const [what, asked, aws] = await found(way, put);
      assert.ok(what.kind === "there");
      const { versionId, etag } = aws.s3.get(BUCKET, REF.key) ?? {};
      const { object } = what;
      assert.deepEqual([what.etag, object.etag, object.versionId], [etag, etag, versionId]);
      assert.deepEqual({ ...object.metadata }, METADATA);
      assert.equal(Buffer.from(object.body).toString(), "sealed");
      assert.equal(object.place, "s3://app-secrets/app.env");
      assert.equal(object.located.home, BUCKET);
      assert.equal(object.date, what.date);
      assert.ok(Math.abs((object.lastModified ?? 0) - (what.date ?? 0)) < HOUR_MS);
      assert.equal(object.instructionFile?.uri, "s3://app-secrets/app.env.instruction");
      assert.deepEqual(asked, ["GetObject 200"]);
    });

    test("nothing", async () => {
      const [what, asked] = await found(way, () => undefined);
      assert.equal(what.kind, "absent");
      assert.deepEqual(asked, ["GetObject 404"]);
    });

    test("what may not be read", async () => {
      const [what, asked] = await found(way, (aws) => aws.s3.deny("GetObject"));
      assert.ok(what.kind === "hidden");
      assert.deepEqual([what.error.kind, what.error.code], ["denied", "access-denied"]);
      assert.match(
        what.error.message,
        /^missing or forbidden \(GetObject: AccessDenied, 403, request id \S+\)$/,
      );
      assert.deepEqual(asked, ["GetObject 403"]);
    });

    for (const [name, given, why, status] of [
      [
        "too large",
        (aws: Aws) => void put(aws, Buffer.alloc(4_194_305)),
        /^the object is larger than 4194304 /,
        200,
      ],
      ["archived", refusal(403, "InvalidObjectState"), /^the object is archived \(GetObject: /, 403],
    ] as const) {
      test(`what is ${name}, by its ETag`, async () => {
        const [what, asked, aws] = await found(way, given);
        assert.ok(what.kind === "unreadable");
        assert.equal(what.etag, aws.s3.get(BUCKET, REF.key)?.etag);
        assert.match(what.why, why);
        assert.deepEqual(asked, [`GetObject ${status}`, "HeadObject 200"]);
      });
    }

    for (const [name, given, kind, message] of [
      ["no bucket", (aws: Aws) => void aws.s3.buckets.clear(), "missing", /^no such bucket \(GetObject: /],
      [
        "credentials that are not known",
        refusal(403, "InvalidAccessKeyId"),
        "denied",
        /does not know the access key/,
      ],
      ["credentials of yesterday", refusal(400, "ExpiredToken"), "denied", /have expired/],
      ["a refusal without a name", refusal(400, "Strange"), "config", /^GetObject: failed \(Strange, 400, /],
      [
        "an answer without an ETag",
        answers({ action: "header", name: "etag", value: "" }),
        "unavailable",
        /no ETag$/,
      ],
    ] as const) {
      test(`${name}: nothing is told of the object, and nobody else is asked`, () =>
        withS3(way, REF, async ({ aws, tools, asked }) => {
          given(aws);
          await assert.rejects(findObject(REF, tools), { kind, message });
          assert.equal(asked().length, 1);
        }));
    }
  });
}

test("what is too large, and nobody says which it is", () =>
  withS3("directly", REF, async ({ aws, tools }) => {
    put(aws, Buffer.alloc(4_194_305));
    aws.faults.add({ service: "s3", operation: "HeadObject", action: "header", name: "etag", value: "" });
    await assert.rejects(findObject(REF, tools), { kind: "unavailable", message: /no ETag$/ });
  }));

test("a look that S3 does not allow says which look", () =>
  withS3("directly", REF, async ({ aws, tools }) => {
    put(aws, Buffer.alloc(4_194_305));
    aws.faults.add({ service: "s3", operation: "HeadObject", action: "status", status: 403 });
    await assert.rejects(findObject(REF, tools), { kind: "denied", message: /\(HeadObject: / });
  }));
