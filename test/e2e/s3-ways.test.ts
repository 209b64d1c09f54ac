/**
 * There are two ways to an object: requests of our own, and the SDK's client, which is asked where only its rules know the
 * endpoint. A shared config file may hold endpoints, so that with one it is the SDK's. What is read is the same by both.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Aws } from "../aws/server.ts";
import { assertFailed, assertPrinted, until, withFolder } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, push, putSealed, sealexec, withAws } from "./harness.ts";
import { URI, pushText, report } from "./pushing.ts";
import { callsSince, SELDOM, watching } from "./watch/watching.ts";

/** s3-encryption/encryption.md, "Content Encryption": the file, and the tag of AES-GCM. */
const LARGEST_OBJECT_BYTES = 4 * 1024 * 1024;
const TAG_BYTES = 16;

const skip = process.platform === "linux" ? false : "needs Linux";

type Way = "directly" | "by the SDK";

interface Place {
  readonly aws: Aws;
  readonly env: Readonly<Record<string, string>>;
}

/** A loopback AWS, and an environment in which S3 is read that way. */
function withWay(way: Way, work: (place: Place) => Promise<void>): Promise<void> {
  return withFolder((folder) =>
    withAws(async (aws) => {
      const config = join(folder, "config");
      if (way === "by the SDK") await writeFile(config, "[default]\n");
      const shared = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: join(folder, "none") };
      await work({ aws, env: { ...aws.keyEnv(), AWS_REGION: aws.region, ...shared } });
      const reads = aws.calls.filter(({ operation, headers }) => operation === "GetObject" && isOf(headers));
      assert.equal(reads.length > 0, way === "by the SDK", "it was read the other way");
    }),
  );
}

/** Only the SDK sends it. */
function isOf(headers: ReadonlyMap<string, string>): boolean {
  return headers.has("amz-sdk-invocation-id");
}

for (const artefact of ARTEFACTS) {
  for (const way of ["directly", "by the SDK"] as const) {
    describe(`an object is read ${way}, by the ${artefact.name}`, { concurrency: 2 }, () => {
      test("in the version that the URI names", () =>
        withWay(way, async ({ aws, env }) => {
          await push(aws, "app.env", "A=old\n");
          const { versionId = "" } = aws.s3.get(BUCKET, "app.env") ?? {};
          await push(aws, "app.env", "A=new\n");
          const pulled = (uri: string) => sealexec(["pull", uri, "--key", KEY], { env, artefact });
          assertPrinted(await pulled(`${URI}?versionId=${versionId}`), "A=old\n");
          assertPrinted(await pulled(URI), "A=new\n");
        }));

      test("up to its largest size, whether its length is told or not; not with one byte more", () =>
        withWay(way, async ({ aws, env }) => {
          const text = "A=1\n#".padEnd(LARGEST_OBJECT_BYTES - TAG_BYTES, "x");
          await push(aws, "app.env", text);
          const { body = Buffer.alloc(0), metadata } = aws.s3.get(BUCKET, "app.env") ?? {};
          assert.equal(body.length, LARGEST_OBJECT_BYTES);
          const larger = Buffer.concat([body, Buffer.alloc(1)]);
          aws.s3.put(BUCKET, "larger.env", larger, metadata);
          const run = (name: string) => {
            const words = ["run", "--from", `s3://${BUCKET}/${name}`, "--key", KEY, "--", "printenv", "A"];
            return sealexec(words, { env, artefact });
          };
          for (const isTold of [true, false]) {
            const untold = { name: "transfer-encoding", value: "chunked" } as const;
            if (!isTold)
              aws.faults.add({ service: "s3", operation: "GetObject", action: "header", ...untold });
            assertPrinted(await run("app.env"), "1\n");
            aws.resetCalls();
            assertFailed(await run("larger.env"), 65, /the object is larger than 4194304 bytes/);
            assert.deepEqual(
              aws.calls.map(({ operation }) => operation),
              ["GetObject"],
            );
          }
        }));

      test("by --watch unless it is still the same, and opened only if it is another", { skip }, () =>
        withWay(way, async ({ aws, env }) => {
          const uri = await push(aws, "app.env", "A=1\n");
          const flags = ["--key", KEY, "--from", uri, ...SELDOM];
          await watching({ env, artefact, flags }, async (watch) => {
            const etag = aws.s3.get(BUCKET, "app.env")?.etag;
            for (const status of [304, 200]) {
              // Not every S3 knows the condition.
              aws.s3.readsConditionally = status === 304;
              const from = aws.calls.length;
              for (const count of [1, 2, 3]) await watch.lookUntil(() => aws.calls.length >= from + count);
              const looks = aws.calls.slice(from);
              assert.deepEqual(new Set(looks.map(({ operation }) => operation)), new Set(["GetObject"]));
              assert.deepEqual(
                new Set(looks.map((look) => look.headers.get("if-none-match"))),
                new Set([etag]),
              );
              assert.deepEqual(new Set(looks.map((look) => look.status)), new Set([status]));
            }
            await push(aws, "app.env", "A=2\n");
            const from = aws.calls.length;
            await watch.lookUntil(() => watch.lines().length === 3);
            assert.equal(callsSince(aws, from, "kms").filter((name) => name === "Decrypt").length, 1);
            assert.equal(watch.said().length, 1, watch.said().join("\n"));
          });
        }),
      );
    });
  }
}

describe("an object is written", { concurrency: 2 }, () => {
  test("with the SHA-256 of its body, which S3 compares", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      const put = aws.calls.find(({ operation }) => operation === "PutObject");
      const { body = Buffer.alloc(0) } = aws.s3.get(BUCKET, "app.env") ?? {};
      const sum = createHash("sha256").update(body).digest("base64");
      assert.equal(put?.headers.get("x-amz-checksum-sha256"), sum);
    }));

  for (const [before, flags] of [
    ["nothing", []],
    ["an object", ["--replace"]],
  ] as const) {
    test(`over ${before}: what somebody else wrote while an answer was lost is not taken for our own`, () =>
      withAws(async (aws) => {
        if (before === "an object") report(await pushText(aws, "A=1\n"));
        aws.resetCalls();
        const put = { service: "s3", operation: "PutObject", times: 1 } as const;
        aws.faults.add({ ...put, action: "delay", delayMs: 500 });
        aws.faults.add({ ...put, action: "reset" });
        const pushing = pushText(aws, "A=2\n", ...flags);
        await until(() => aws.count("s3", "PutObject") === 1);
        putSealed(aws, "app.env", "A=theirs\n", Date.now());
        const theirs = aws.s3.get(BUCKET, "app.env")?.versionId;
        assertFailed(await pushing, 80, /PutObject: PreconditionFailed/, /somebody was quicker/);
        assert.equal(aws.count("s3", "PutObject"), 2);
        assert.equal(aws.s3.get(BUCKET, "app.env")?.versionId, theirs);
      }));
  }
});
