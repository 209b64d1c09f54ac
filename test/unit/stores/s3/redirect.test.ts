/** A bucket in another region than the one asked in: S3 says in which, and is asked there. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Rule } from "../../../aws/faults.ts";
import { BUCKET } from "../../../e2e/harness.ts";
import { changedEtag, readObject } from "../../../../src/stores/s3/read.ts";
import { headObject, writeObject } from "../../../../src/stores/s3/write.ts";
import { REF, WAYS, withS3 } from "./asking.ts";
import type { Place } from "./asking.ts";

const MOVED = "the bucket is in eu-west-1";
const SEALED = { metadata: { "x-amz-c": "115" }, body: Buffer.from("sealed") };

/** The bucket is elsewhere, and an object is in it. */
function moved({ aws }: Place): string {
  aws.s3.createBucket(BUCKET, { region: "eu-west-1" });
  return aws.s3.put(BUCKET, REF.key, "there").etag;
}

const CALLS: Readonly<Record<string, (place: Place, etag: string) => Promise<unknown>>> = {
  GetObject: ({ tools }) => readObject(REF, tools),
  "GetObject, a look": ({ tools }, etag) => changedEtag(REF, etag, tools),
  HeadObject: ({ tools }) => headObject(REF, tools),
  PutObject: ({ tools }, etag) => writeObject(REF, SEALED, { kind: "etag", etag }, tools),
};

for (const way of WAYS) {
  describe(`a bucket in another region, asked ${way}`, () => {
    for (const answer of ["permanent", "temporary", "malformed", "malformed without a header"] as const) {
      test(`${answer}: it is asked there, and from then on nowhere else`, () =>
        withS3(way, REF, async (place) => {
          const { aws, tools, log } = place;
          moved(place);
          aws.s3.wrongRegion = answer;
          const { body } = await readObject(REF, tools);
          assert.equal(Buffer.from(body).toString(), "there");
          await readObject(REF, tools);
          assert.deepEqual(
            aws.calls.map(({ status }) => status >= 300),
            [true, false, false],
          );
          const [, second] = aws.calls;
          assert.match(second?.headers.get("authorization") ?? "", /\/eu-west-1\/s3\/aws4_request/);
          assert.deepEqual(log.filter((line) => line.includes(MOVED)).length, 1, log.join(""));
        }));
    }

    for (const [what, rule] of [
      ["is no region", { action: "redirect", status: 301, region: "evil.example.com" }],
      ["is the one asked in", { action: "redirect", status: 307, region: "us-east-1" }],
      ["is in another refusal", { action: "status", status: 403 }],
    ] as const) {
      test(`what is named ${what}: it is not followed`, () =>
        withS3(way, REF, async ({ aws, tools, asked }) => {
          aws.s3.put(BUCKET, REF.key, "here");
          aws.faults.add({ service: "s3", ...rule } as Rule);
          if (rule.action === "status")
            aws.faults.add({
              service: "s3",
              action: "header",
              name: "x-amz-bucket-region",
              value: "eu-west-1",
            });
          const kind = rule.action === "status" ? "denied" : "config";
          await assert.rejects(readObject(REF, tools), { kind });
          assert.equal(asked().length, 1);
        }));
    }
  });
}

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name} is asked once more in the region that S3 names`, () =>
    withS3("directly", REF, async (place) => {
      const etag = moved(place);
      await call(place, etag);
      const { length } = place.asked();
      assert.equal(length, 2, place.asked().join());
    }));
}

test("a conflict there is somebody else's: the redirect was no attempt that may have written", () =>
  withS3("directly", REF, async (place) => {
    moved(place);
    const { session, context } = place.tools;
    const writing = writeObject(REF, SEALED, { kind: "absent" }, { session, context });
    await assert.rejects(writing, { kind: "conflict" });
    assert.deepEqual(place.asked(), ["PutObject 301", "PutObject 412"]);
  }));

test("of two redirects, the second is not followed", () =>
  withS3("directly", REF, async ({ aws, tools, asked }) => {
    aws.s3.put(BUCKET, REF.key, "here");
    for (const region of ["eu-west-1", "us-east-1"])
      aws.faults.add({ service: "s3", action: "redirect", status: 301, region, times: 1 });
    await assert.rejects(readObject(REF, tools), { kind: "config" });
    assert.equal(asked().length, 2);
  }));
