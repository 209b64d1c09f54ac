/** Rows 23 to 33: what S3 answers. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Aws } from "../../aws/server.ts";
import { BUCKET, onPath, push, sealexec } from "../harness.ts";
import { deadline, seconds } from "./fault-case.ts";
import type { FaultCase, Scene, Setup } from "./fault-case.ts";

const once = (aws: Aws): void => {
  assert.equal(aws.count("s3"), 1, "a refusal was asked for again");
  assert.equal(aws.count("kms"), 0);
};
const twice = (aws: Aws): void => {
  assert.equal(aws.count("s3"), 2);
  assert.equal(aws.count("kms"), 1);
};

/** Peak memory, by GNU time. */
function measured({ folder }: Scene): Setup {
  return { prefix: ["/usr/bin/time", "--quiet", "--format", "%M", "--output", join(folder, "peak")] };
}

/** A 100 MB object may cost no more than a small one, and what was read of it. */
const FLAT_KB = 40_000;

/** The object stands in another region than the configured one. */
function moved(aws: Aws, answer: Aws["s3"]["wrongRegion"]): Setup {
  const object = aws.s3.get(BUCKET, "app.env") ?? assert.fail("nothing sealed");
  aws.s3.createBucket(BUCKET, { region: "eu-west-1" });
  aws.s3.put(BUCKET, "app.env", object.body, object.metadata);
  aws.s3.wrongRegion = answer;
  return { key: aws.kms.find("alias/app", aws.region).arn };
}

export const S3_CASES: readonly FaultCase[] = [
  {
    id: "23",
    fault: "SlowDown six times",
    rules: [{ service: "s3", action: "status", status: 503, code: "SlowDown", times: 6 }],
    boundMs: seconds(30),
    expected: "CMD runs",
    verify: (aws) => assert.equal(aws.count("s3"), 7),
  },
  {
    id: "24",
    fault: "S3 500 for ever",
    rules: [{ service: "s3", action: "status", status: 500 }],
    timeoutS: 4,
    boundMs: deadline(4),
    expected: {
      status: 69,
      error: /object: s3:.*the service kept failing \(GetObject: InternalError, 500, request id \w+\)/,
      hint: /health\.aws\.amazon\.com.*--timeout/,
    },
    verify: (aws) => assert.ok(aws.count("s3") > 3),
  },
  {
    id: "25",
    fault: "S3 301 with the bucket's region",
    prepare: ({ aws }) => moved(aws, "permanent"),
    boundMs: seconds(5),
    expected: "CMD runs",
    verify: twice,
  },
  {
    id: "26",
    fault: "S3 307 with the bucket's region",
    prepare: ({ aws }) => moved(aws, "temporary"),
    boundMs: seconds(5),
    expected: "CMD runs",
    verify: twice,
  },
  {
    id: "26b",
    fault: "S3 400 with the bucket's region",
    prepare: ({ aws }) => moved(aws, "malformed"),
    boundMs: seconds(5),
    expected: "CMD runs",
    verify: twice,
  },
  {
    id: "26c",
    fault: "S3 307 that names a hostile region",
    rules: [{ service: "s3", action: "redirect", status: 307, region: "evil.example/" }],
    boundMs: seconds(5),
    expected: { status: 78, error: /S3's redirect is not a region/, hint: /looks like eu-west-1/ },
    verify: once,
  },
  {
    id: "26d",
    fault: "S3 301 from one region to the other, in a circle",
    rules: [
      { service: "s3", action: "redirect", status: 301, region: "eu-west-1", times: 1 },
      { service: "s3", action: "redirect", status: 301, region: "us-east-1" },
    ],
    boundMs: seconds(5),
    expected: {
      status: 78,
      error:
        /object: s3:.*the bucket is in another region.*\(GetObject: PermanentRedirect, 301, request id \w+\)/,
      hint: /\?region=/,
    },
    verify: (aws) => assert.equal(aws.count("s3"), 2),
  },
  {
    id: "27",
    fault: "S3 403",
    rules: [{ service: "s3", action: "status", status: 403 }],
    boundMs: seconds(3),
    expected: {
      status: 77,
      error:
        /object: s3:\/\/app-secrets\/app\.env: missing or forbidden \(GetObject: AccessDenied, 403, request id \w+\)/,
      hint: /s3:GetObject.*s3:ListBucket/,
    },
    verify: once,
  },
  {
    id: "27b",
    fault: "a proxy's 403 with a page of 1 MB: its first bytes will do",
    rules: [{ service: "s3", action: "body", status: 403, body: `<html>${"x".repeat(1_000_000)}` }],
    boundMs: seconds(5),
    expected: {
      status: 77,
      error: /object: s3:\/\/.*missing or forbidden \(GetObject: 403/,
      hint: /s3:GetObject/,
    },
    verify: (aws) => assert.equal(aws.count("s3"), 1),
  },
  {
    id: "28",
    fault: "S3 404",
    prepare: () => ({ uri: `s3://${BUCKET}/nothing.env` }),
    boundMs: seconds(3),
    expected: {
      status: 66,
      error:
        /object: s3:\/\/app-secrets\/nothing\.env: no such object \(GetObject: NoSuchKey, 404, request id \w+\)/,
      hint: /check the URI|sealexec push/,
    },
    verify: once,
  },
  {
    id: "29",
    fault: "body cut once",
    rules: [{ service: "s3", action: "closeMidBody", times: 1 }],
    boundMs: seconds(10),
    expected: "CMD runs",
    verify: twice,
  },
  {
    id: "29b",
    fault: "connection closed before the answer, once",
    rules: [{ service: "s3", action: "hangUp", times: 1 }],
    boundMs: seconds(10),
    expected: "CMD runs",
    verify: twice,
  },
  {
    id: "29c",
    fault: "connection reset before the answer, once",
    rules: [{ service: "s3", action: "reset", times: 1 }],
    boundMs: seconds(10),
    expected: "CMD runs",
    verify: twice,
  },
  {
    id: "29d",
    fault: "body cut for ever",
    rules: [{ service: "s3", action: "closeMidBody" }],
    timeoutS: 4,
    boundMs: deadline(4),
    expected: { status: 69, error: /object: s3:.*GetObject: .*(cannot be reached|cut)/, hint: /\S/ },
  },
  {
    id: "30",
    fault: "short body that claims to be whole",
    rules: [{ service: "s3", action: "wrongLength" }],
    boundMs: seconds(10),
    expected: { status: 65, error: /decrypt: s3:\/\/app-secrets\/app\.env: /, hint: /\S/ },
    verify: (aws) => assert.equal(aws.count("s3"), 1),
  },
  {
    id: "30b",
    fault: "one bit of the body is other",
    rules: [{ service: "s3", action: "flipBit" }],
    boundMs: seconds(10),
    expected: { status: 65, error: /decrypt: s3:\/\/app-secrets\/app\.env: /, hint: /\S/ },
  },
  {
    id: "31",
    fault: "body drips 1 byte/s",
    rules: [{ service: "s3", action: "drip" }],
    timeoutS: 4,
    boundMs: seconds(5),
    expected: {
      status: 75,
      error: /object: s3:.*GetObject: no answer in time/,
      hint: /--timeout \(SEALEXEC_TIMEOUT\)/,
    },
  },
  {
    id: "31b",
    fault: "S3 accepts and stays silent",
    rules: [{ service: "s3", action: "silent" }],
    timeoutS: 4,
    boundMs: seconds(5),
    expected: {
      status: 75,
      error: /object: s3:.*GetObject: no answer in time/,
      hint: /--timeout \(SEALEXEC_TIMEOUT\)/,
    },
  },
  {
    id: "32",
    fault: "<Error> in a 200",
    rules: [{ service: "s3", action: "errorIn200" }],
    boundMs: seconds(5),
    expected: { status: 65, error: /format: s3:\/\/app-secrets\/app\.env: /, hint: /\S/ },
    verify: once,
  },
  {
    id: "32b",
    fault: "100 MB object",
    prepare: measured,
    rules: [{ service: "s3", action: "hugeBody" }],
    boundMs: seconds(5),
    expected: { status: 65, error: /object: s3:.*larger than 4194304 bytes/, hint: /check the URI/ },
    verify: once,
    skip: onPath("time") === undefined && "needs GNU time",
  },
  {
    id: "32c",
    fault: "100 MB object, memory stays flat",
    prepare: async (scene) => {
      const peak = async (): Promise<number> => {
        const { prefix = [] } = measured(scene);
        const args = ["run", "--from", `s3://${BUCKET}/app.env`, "--", "true"];
        await sealexec(args, { env: scene.aws.env(), prefix });
        return Number((await readFile(join(scene.folder, "peak"), "utf8")).trim().split("\n").at(-1));
      };
      const small = await peak();
      const fault = scene.aws.faults.add({ service: "s3", action: "hugeBody" });
      const huge = await peak();
      await fault.remove();
      assert.ok(huge < small + FLAT_KB, `${small} KB for a small object, ${huge} KB for a huge one`);
      return {};
    },
    boundMs: seconds(5),
    expected: "CMD runs",
    skip: onPath("time") === undefined && "needs GNU time",
  },
  {
    id: "33",
    fault: "object replaced between two reads",
    prepare: async ({ aws }) => {
      const first = aws.s3.get(BUCKET, "app.env") ?? assert.fail("nothing sealed");
      await push(aws, "app.env", "TOKEN=newer\n");
      const newer = aws.s3.get(BUCKET, "app.env") ?? assert.fail("nothing sealed");
      aws.s3.put(BUCKET, "app.env", first.body, first.metadata);
      const { body, metadata } = newer;
      aws.faults.add({ service: "s3", action: "replaceObject", body, metadata, times: 1 });
      return {};
    },
    boundMs: seconds(5),
    expected: "CMD runs",
    verify: (aws) => assert.equal(aws.count("s3"), 1),
  },
  {
    id: "33b",
    fault: "object replaced after a read that was cut",
    prepare: async ({ aws }) => {
      const older = aws.s3.get(BUCKET, "app.env") ?? assert.fail("nothing sealed");
      await push(aws, "app.env", "TOKEN=older\n");
      const { body, metadata } = older;
      aws.faults.add({ service: "s3", action: "delay", delayMs: 200, after: 1 });
      aws.faults.add({ service: "s3", action: "closeMidBody", times: 1 });
      const replaced = setInterval(() => {
        if (aws.count("s3") === 0) return;
        clearInterval(replaced);
        aws.s3.put(BUCKET, "app.env", body, metadata);
      }, 1);
      return { cleanUp: async () => clearInterval(replaced) };
    },
    boundMs: seconds(5),
    expected: "CMD runs",
    verify: (aws) => assert.equal(aws.count("kms"), 1),
  },
];
