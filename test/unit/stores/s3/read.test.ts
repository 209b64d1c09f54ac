/** Reading an object of the loopback S3, by both ways to it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { facts } from "../../../../src/aws/call/failure.ts";
import { SealexecError } from "../../../../src/base/errors.ts";
import { changedEtag, readObject } from "../../../../src/stores/s3/read.ts";
import { s3Source } from "../../../../src/stores/s3/store.ts";
import { parseHttpDate } from "../../../../src/stores/s3/times.ts";
import type { Rule } from "../../../aws/faults.ts";
import { BUCKET } from "../../../e2e/harness.ts";
import { REF, WAYS, withS3 } from "./asking.ts";

const HOUR_MS = 3_600_000;
const METADATA = { "x-amz-c": "115", other: "two words" };

for (const way of WAYS) {
  describe(`an object, read ${way}`, () => {
    test("is there with all that S3 says of it, in the version that is wanted", () =>
      withS3(way, REF, async ({ aws, tools }) => {
        const seconds = (): number => Math.floor((Date.now() + aws.clockOffsetMs) / 1_000) * 1_000;
        aws.clockOffsetMs = -HOUR_MS;
        const written = seconds();
        const first = aws.s3.put(BUCKET, REF.key, "first", METADATA);
        const writtenBy = seconds();
        // Within the time that a signature may be off.
        aws.clockOffsetMs = 120_000;
        const second = aws.s3.put(BUCKET, REF.key, "", {});
        const asked = seconds();
        const old = await readObject({ ...REF, versionId: first.versionId }, tools);
        const { date = 0, lastModified = 0, body, metadata, ...state } = old;
        assert.ok(lastModified >= written && lastModified <= writtenBy, String(lastModified - written));
        assert.ok(date >= asked && date <= seconds(), String(date - asked));
        assert.deepEqual([Buffer.from(body).toString(), { ...metadata }], ["first", METADATA]);
        assert.deepEqual(state, { etag: first.etag, versionId: first.versionId });
        const newest = await readObject(REF, tools);
        assert.deepEqual([newest.versionId, newest.etag], [second.versionId, second.etag]);
        assert.deepEqual([newest.body.length, { ...newest.metadata }], [0, {}]);
      }));

    test("unless it is the same: its ETag counts, and not every S3 knows the condition", () =>
      withS3(way, REF, async ({ aws, tools, asked }) => {
        const { etag } = aws.s3.put(BUCKET, REF.key, "first");
        const look = (): Promise<string | undefined> => changedEtag(REF, etag, tools);
        assert.equal(await look(), undefined);
        aws.s3.readsConditionally = false;
        assert.equal(await look(), undefined);
        const other = aws.s3.put(BUCKET, REF.key, "second").etag;
        for (const reads of [false, true]) {
          aws.s3.readsConditionally = reads;
          assert.equal(await look(), other);
        }
        assert.deepEqual(asked(), ["GetObject 304", "GetObject 200", "GetObject 200", "GetObject 200"]);
        assert.ok(aws.calls.every(({ headers }) => headers.get("if-none-match") === etag));
      }));

    test("a read is tried again, a look is not, and what fails says what and why", () =>
      withS3(way, REF, async ({ aws, tools, asked }) => {
        const { etag } = aws.s3.put(BUCKET, REF.key, "first");
        const rule = { service: "s3", operation: "GetObject", action: "status", status: 500 } as const;
        aws.faults.add({ ...rule, times: 2 });
        await readObject(REF, tools);
        assert.equal(asked().length, 3);
        const looks = aws.faults.add(rule);
        const look = changedEtag(REF, etag, tools);
        await assert.rejects(look, {
          kind: "unavailable",
          message: /^the service kept failing \(GetObject: /,
        });
        assert.equal(looks.hits, 1);
      }));

    for (const [status, code, kind, message, hint] of [
      [
        403,
        "AccessDenied",
        "denied",
        /^missing or forbidden \(GetObject: AccessDenied, 403, request id /,
        /s3:ListBucket/,
      ],
      [
        404,
        "NoSuchKey",
        "missing",
        /^no such object \(GetObject: NoSuchKey, 404, request id /,
        /^check the URI/,
      ],
      [403, "InvalidToken", "denied", /session token is not valid \(GetObject: /, /AWS_SESSION_TOKEN/],
      [400, "Strange", "config", /^GetObject: failed \(Strange, 400, /, /run it with -v/],
    ] as const) {
      test(`a refusal by ${code}, read and looked at, with and without an owner`, () =>
        withS3(way, REF, async ({ aws, tools, asked }) => {
          aws.faults.add({ service: "s3", action: "status", status, code });
          for (const owner of [undefined, "111122223333"]) {
            const ref = owner === undefined ? REF : { ...REF, owner };
            for (const attempt of [readObject(ref, tools), changedEtag(ref, '"0"', tools)]) {
              const error = await attempt.then(
                () => undefined,
                (reason: unknown) => reason,
              );
              assert.ok(error instanceof SealexecError);
              assert.equal(error.kind, kind);
              assert.match(error.message, message);
              assert.match(error.hint ?? "", hint);
              const names = /^check that it is a bucket of account 111122223333 \(\?owner=\), and /;
              assert.equal(
                names.test(error.hint ?? ""),
                owner !== undefined && kind === "denied",
                String(error.hint),
              );
              assert.equal(error.facts["httpStatus"], status);
            }
          }
          assert.equal(asked().length, 4);
          assert.deepEqual(
            aws.calls.map(({ headers }) => headers.get("x-amz-expected-bucket-owner")),
            [undefined, undefined, "111122223333", "111122223333"],
          );
        }));
    }

    test("what is larger than 4 MiB is neither read nor looked at", () =>
      withS3(way, REF, async ({ aws, tools, asked }) => {
        aws.s3.put(BUCKET, REF.key, Buffer.alloc(4_194_304));
        assert.equal((await readObject(REF, tools)).body.length, 4_194_304);
        aws.s3.put(BUCKET, REF.key, Buffer.alloc(4_194_305));
        const large = { kind: "data", message: "the object is larger than 4194304 bytes" };
        await assert.rejects(readObject(REF, tools), large);
        await assert.rejects(changedEtag(REF, '"0"', tools), large);
        const untold = { action: "header", name: "transfer-encoding", value: "chunked" };
        aws.faults.add({ service: "s3", ...untold } as Rule);
        await assert.rejects(readObject(REF, tools), large);
        assert.equal(asked().length, 4);
      }));
  });
}

test("a refusal of a direct request is read whole, with its request's id if only its text says it", () =>
  withS3("directly", REF, async ({ aws, tools }) => {
    aws.faults.add({ service: "s3", action: "header", name: "x-amz-request-id", value: "" });
    const missing = readObject(REF, tools);
    const error = await missing.then(
      () => undefined,
      ({ cause }: Error) => cause,
    );
    const [call] = aws.calls;
    assert.deepEqual(facts(error), { code: "NoSuchKey", status: 404, requestId: call?.requestId });
    assert.equal((error as Error).message, "The specified key does not exist.");
  }));

describe("what a URI of S3 gives", () => {
  const source = s3Source({ ...REF, versionId: "v1", dialect: "json", region: "eu-west-1" });
  test("is sealed, bound to its place, and known by its version", () => {
    const { uri, gives, place, dated, dialect, aws } = source;
    assert.deepEqual(
      { uri, gives, place, dated, dialect, home: aws?.home, region: aws?.region, onlyKms: aws?.onlyKms },
      {
        uri: "s3://app-secrets/app.env?versionId=v1",
        gives: "sealed",
        place: "s3://app-secrets/app.env",
        dated: true,
        dialect: "json",
        home: BUCKET,
        region: "eu-west-1",
        onlyKms: undefined,
      },
    );
    const plain = s3Source(REF);
    assert.ok(!("dialect" in plain) && plain.aws !== undefined && !("region" in plain.aws));
  });

  test("its connections are to the bucket in its region, and to the key in its own", () => {
    assert.deepEqual(source.aws?.urls("eu-west-1", "eu-north-1", {}).map(String), [
      "https://app-secrets.s3.eu-west-1.amazonaws.com/app.env",
      "https://kms.eu-north-1.amazonaws.com/",
    ]);
  });

  test("a version never changes, and the newest does", () => {
    assert.equal(source.look, undefined);
    assert.equal(typeof s3Source(REF).look, "function");
  });

  test("it is read and looked at, and its instruction file is the newest beside it", () =>
    withS3("directly", REF, async ({ aws, tools }) => {
      const first = aws.s3.put(BUCKET, REF.key, "sealed", METADATA);
      aws.s3.put(BUCKET, `${REF.key}.instruction`, "{}");
      const { versionId } = first;
      const pinned = await s3Source({ ...REF, versionId }).read(tools);
      const newest = s3Source(REF);
      const content = await newest.read(tools);
      for (const { kind, validator, ...more } of [pinned, content]) {
        assert.deepEqual([kind, validator], ["sealed", first.etag]);
        assert.ok("sealed" in more);
        const { instructionFile, located, place, etag } = more.sealed;
        assert.deepEqual([place, etag, located.home], ["s3://app-secrets/app.env", first.etag, BUCKET]);
        assert.equal(instructionFile?.uri, "s3://app-secrets/app.env.instruction");
        assert.equal(Buffer.from((await instructionFile?.read()) ?? []).toString(), "{}");
      }
      assert.equal(await newest.look?.(first.etag, tools), undefined);
      const { etag } = aws.s3.put(BUCKET, REF.key, "another");
      assert.equal(await newest.look?.(first.etag, tools), etag);
    }));
});

describe("a time of HTTP", () => {
  test("is read in the one form that is sent", () => {
    // RFC 9110, section 5.6.7: the example.
    assert.equal(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), 784_111_777_000);
  });

  for (const text of [
    undefined,
    "",
    "2026-11-20T10:00:00Z",
    "784111777000",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "Sun, 06 Nov 1994 08:49:37 +0100",
    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 25:49:37 GMT",
  ]) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseHttpDate(text), undefined));
  }
});
