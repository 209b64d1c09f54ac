/** The SDK's clients as they are set up here, on the loopback AWS: one request a call, by our connections, and no other way. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createKmsClient, createS3Client } from "../../../../src/aws/call/clients.ts";
import { callRegional, regionalNeed } from "../../../../src/aws/call/regional.ts";
import { getCallerIdentity } from "../../../../src/aws/call/clients.ts";
import { DecryptCommand, GetObjectCommand, PutObjectCommand } from "../../../../src/aws/sdk.ts";
import { AwsSession } from "../../../../src/aws/session.ts";
import { Network } from "../../../../src/http/network.ts";
import type { Aws } from "../../../aws/server.ts";
import { withAws } from "../../../e2e/harness.ts";
import { makeContext } from "../../refuses.ts";
import type { Stage } from "../../refuses.ts";

const BUCKET = "with.dots";
const NONE = { AWS_CONFIG_FILE: "/nonexistent", AWS_SHARED_CREDENTIALS_FILE: "/nonexistent" };
const { signal } = new AbortController();

interface Place extends Stage {
  readonly aws: Aws;
  readonly network: Network;
  readonly env: Readonly<Record<string, string>>;
  readonly identity: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

function withPlace(work: (place: Place) => Promise<void>): Promise<void> {
  return withAws(async (aws) => {
    aws.s3.createBucket(BUCKET);
    aws.s3.put(BUCKET, "key", "text");
    const env = { ...NONE, ...aws.keyEnv() };
    const stage = makeContext(env);
    const network = new Network(stage.context);
    const { accessKeyId, secretAccessKey } = aws.accessKeys[0] ?? assert.fail("no key");
    try {
      await work({ ...stage, aws, network, env, identity: { accessKeyId, secretAccessKey } });
    } finally {
      network.close();
      stage.context.deadline.clear();
    }
  });
}

async function s3Of({ aws, network, env, identity }: Place) {
  return createS3Client({ region: aws.region, identity, agents: await network.agents(), env });
}

async function kmsOf({ aws, network, env, identity }: Place) {
  return createKmsClient({ region: aws.region, identity, agents: await network.agents(), env });
}

const GET = new GetObjectCommand({ Bucket: BUCKET, Key: "key" });
const DECRYPT = new DecryptCommand({ CiphertextBlob: Buffer.from("x") });
const IN_RANGE = { action: "header", name: "content-range", value: "bytes 0-1/2" } as const;

describe("the SDK's clients", () => {
  test("ask a custom endpoint by path, without checks of sums that nobody asked for", () =>
    withPlace(async (place) => {
      const client = await s3Of(place);
      const { Body } = await client.send(GET);
      assert.equal(await Body?.transformToString(), "text");
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: "new", Body: Buffer.from("new") }));
      const [read, write] = place.aws.calls;
      assert.deepEqual([read?.detail.bucket, read?.detail.key], [BUCKET, "key"]);
      assert.ok(read?.headers.get("host")?.startsWith("127.0.0.1:"));
      for (const headers of [read?.headers, write?.headers])
        assert.deepEqual(
          [...(headers?.keys() ?? [])].filter((name) => /checksum/.test(name)),
          [],
        );
    }));

  test("make one attempt, and follow nobody to another region", () =>
    withPlace(async (place) => {
      const { aws } = place;
      const [s3, kms] = [await s3Of(place), await kmsOf(place)];
      const fault = aws.faults.add({ service: "s3", action: "status", status: 503 });
      await assert.rejects(s3.send(GET), { name: "SlowDown" });
      await fault.remove();
      aws.faults.add({ service: "kms", action: "status", status: 500 });
      await assert.rejects(kms.send(DECRYPT));
      assert.deepEqual([aws.count("s3"), aws.count("kms")], [1, 1]);
      aws.faults.add({ service: "s3", action: "redirect", status: 301, region: "eu-west-1" });
      await assert.rejects(s3.send(GET), { name: "PermanentRedirect" });
      assert.equal(aws.count("s3"), 2);
    }));

  test("do not set their clock by what they hear: that is said of the refusal", () =>
    withPlace(async (place) => {
      place.aws.clockOffsetMs = 3_600_000;
      const s3 = await s3Of(place);
      await assert.rejects(s3.send(GET), ({ $metadata }: { $metadata: object }) => {
        assert.equal((place.aws.calls.at(-1)?.status ?? 0) >= 400, true);
        assert.ok("httpStatusCode" in $metadata);
        return true;
      });
      assert.equal(place.aws.count("s3"), 1);
    }));

  for (const fault of [
    { action: "answerAs", status: 206 },
    { action: "answerAs", status: 299 },
    IN_RANGE,
  ] as const) {
    test(`take nothing but a whole 200: ${JSON.stringify(fault)}`, () =>
      withPlace(async (place) => {
        const { aws, network, env, identity } = place;
        for (const service of ["s3", "kms", "sts"] as const) aws.faults.add({ service, ...fault });
        const region = async (): Promise<string> => aws.region;
        const status = fault.action === "header" ? 200 : fault.status;
        const unreadable = ({
          name,
          $metadata,
        }: Error & { $metadata: { httpStatusCode: number } }): boolean =>
          name === "UnreadableAnswer" && $metadata.httpStatusCode === status;
        await assert.rejects((await s3Of(place)).send(GET), unreadable);
        await assert.rejects(getCallerIdentity({ identity, region, network, env }, signal), unreadable);
      }));
  }

  test("STS is asked once who this is, and what it refuses is the SDK's error", () =>
    withPlace(async ({ aws, network, env, identity }) => {
      const region = async (): Promise<string> => aws.region;
      const who = { identity, region, network, env };
      assert.equal(await getCallerIdentity(who, signal), "arn:aws:iam::111122223333:user/tester");
      aws.faults.add({ service: "sts", action: "status", status: 500 });
      await assert.rejects(getCallerIdentity(who, signal));
      assert.equal(aws.count("sts"), 2);
      await assert.rejects(getCallerIdentity(who, AbortSignal.abort(new Error("enough"))));
      assert.equal(aws.count("sts"), 2);
    }));
});

describe("Secrets Manager and Systems Manager", () => {
  const meaning = () => undefined;

  test("what is found out about a region is shared by all sources of a service there", () => {
    const env = { ...NONE, AWS_USE_DUALSTACK_ENDPOINT: "false" };
    const plain = regionalNeed("ssm", undefined);
    assert.deepEqual([plain.home, "region" in plain], ["ssm", false]);
    const named = regionalNeed("secretsmanager", "eu-west-1");
    assert.deepEqual([named.home, named.region], ["secretsmanager in eu-west-1", "eu-west-1"]);
    const hosts = named.urls("eu-west-2", "eu-west-3", env).map((url) => url?.hostname);
    assert.deepEqual(hosts, ["secretsmanager.eu-west-2.amazonaws.com"]);
  });

  test("a call is tried again for as long as it may be", () =>
    withPlace(async ({ aws, context }) => {
      const session = new AwsSession(context, undefined);
      const need = regionalNeed("ssm", undefined);
      aws.parameters.put("/a", "value");
      const call = {
        service: "ssm",
        need,
        operation: "GetParameter",
        input: { Name: "/a", WithDecryption: true },
        meaning,
      } as const;
      await session.begin([need]);
      aws.faults.add({ service: "ssm", action: "status", status: 500, times: 1 });
      const { Parameter } = await callRegional(call, session, context);
      assert.equal((Parameter as { Value: string }).Value, "value");
      assert.equal(aws.count("ssm"), 2);
      aws.faults.add({ service: "ssm", action: "status", status: 500 });
      await assert.rejects(callRegional({ ...call, mostAttempts: 1 }, session, context), {
        kind: "unavailable",
      });
      assert.equal(aws.count("ssm"), 3);
      session.close();
    }));

  for (const [service, variable] of [
    ["ssm", "AWS_ENDPOINT_URL_SSM"],
    ["secretsmanager", "AWS_ENDPOINT_URL_SECRETS_MANAGER"],
  ] as const) {
    test(`${service}: a region whose endpoint is not known is said`, async () => {
      const { context } = makeContext({
        ...NONE,
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_ACCESS_KEY_ID: "A",
        AWS_SECRET_ACCESS_KEY: "b",
      });
      const session = new AwsSession(context, undefined);
      const need = regionalNeed(service, "us-iso-east-1");
      await session.begin([need]);
      await assert.rejects(
        callRegional({ service, need, operation: "GetParameter", input: {}, meaning }, session, context),
        {
          kind: "config",
          message: `the endpoint of ${service} in us-iso-east-1 is not supported yet`,
          hint: `check AWS_REGION, or set ${variable} to its URL`,
        },
      );
      session.close();
      context.deadline.clear();
    });
  }
});
