/** What is asked of the instance metadata service, and which answers are one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MetadataRefusal, isStandardEndpoint, metadataReader } from "../../../../src/aws/imds.ts";
import { instanceRegion } from "../../../../src/aws/imds.ts";
import { resolveRegion } from "../../../../src/aws/region.ts";
import { AnswerTooLarge } from "../../../../src/http/answer.ts";
import { Network } from "../../../../src/http/network.ts";
import type { Aws } from "../../../aws/server.ts";
import { withAws } from "../../../e2e/harness.ts";
import { makeContext } from "../../refuses.ts";

const NONE = { AWS_CONFIG_FILE: "/nonexistent", AWS_SHARED_CREDENTIALS_FILE: "/nonexistent" };

function withNetwork<T>(
  aws: Aws,
  work: (network: Network, read: (path: string) => Promise<string>) => Promise<T>,
): Promise<T> {
  const { context } = makeContext(aws.env());
  const network = new Network(context);
  return work(network, metadataReader(aws.endpoints.imds, network, context.deadline.signal)).finally(() => {
    network.close();
    context.deadline.clear();
  });
}

describe("the metadata service", () => {
  test("is asked for a token of six hours once, which goes with each path", () =>
    withAws((aws) =>
      withNetwork(aws, async (_, read) => {
        assert.equal(await read("placement/region"), "us-east-1");
        assert.equal(await read("iam/security-credentials/"), "sealexec-role");
        const [token, ...reads] = aws.calls;
        assert.deepEqual(
          aws.calls.map(({ operation }) => operation),
          ["GetToken", "GetRegion", "ListRoles"],
        );
        assert.equal(token?.headers.get("x-aws-ec2-metadata-token-ttl-seconds"), "21600");
        for (const { headers } of reads) {
          assert.match(headers.get("x-aws-ec2-metadata-token") ?? "", /./);
          assert.ok(!headers.has("x-aws-ec2-metadata-token-ttl-seconds"));
        }
        assert.equal(aws.connections.length, 1);
      }),
    ));

  test("an answer is without blanks around it, and no larger than 64 KiB", () =>
    withAws((aws) =>
      withNetwork(aws, async (_, read) => {
        const answering = (body: string) =>
          aws.faults.add({ service: "imds", operation: "GetRegion", action: "body", body, times: 1 });
        answering(" eu-west-1\n");
        assert.equal(await read("placement/region"), "eu-west-1");
        answering("x".repeat(64 * 1024));
        assert.equal((await read("placement/region")).length, 64 * 1024);
        answering("x".repeat(64 * 1024 + 1));
        await assert.rejects(read("placement/region"), AnswerTooLarge);
      }),
    ));

  for (const [operation, status, path] of [
    ["GetToken", 403, "/latest/api/token"],
    ["GetToken", 204, "/latest/api/token"],
    ["GetRegion", 404, "/latest/meta-data/placement/region"],
    ["GetRegion", 201, "/latest/meta-data/placement/region"],
  ] as const) {
    test(`${operation}, ${status}: it is said what was asked for, and the status`, () =>
      withAws((aws) =>
        withNetwork(aws, async (_, read) => {
          aws.faults.add({ service: "imds", operation, action: "answerAs", status });
          await assert.rejects(read("placement/region"), (error) => {
            assert.ok(error instanceof MetadataRefusal);
            assert.deepEqual([error.path, error.statusCode], [path, status]);
            return true;
          });
        }),
      ));
  }

  test("without a token nothing is asked", () =>
    withAws((aws) =>
      withNetwork(aws, async (_, read) => {
        aws.imds.allowV1 = true;
        aws.faults.add({ service: "imds", operation: "GetToken", action: "body", body: " \n", times: 1 });
        await assert.rejects(read("placement/region"), MetadataRefusal);
        await assert.rejects(read("placement/region"), MetadataRefusal);
        assert.deepEqual(new Set(aws.calls.map(({ operation }) => operation)), new Set(["GetToken"]));
      }),
    ));

  test("is the standard one where nobody has named it", () => {
    const [ipv4, ipv6] = ["http://169.254.169.254", "http://[fd00:ec2::254]"];
    const named = { AWS_EC2_METADATA_SERVICE_ENDPOINT: ipv4 };
    assert.equal(isStandardEndpoint(ipv4, {}), true);
    assert.equal(isStandardEndpoint(ipv4, { AWS_EC2_METADATA_SERVICE_ENDPOINT: "" }), true);
    assert.equal(isStandardEndpoint(ipv4, named), false);
    assert.equal(isStandardEndpoint(ipv6, {}), false);
  });
});

describe("the region of the instance", () => {
  async function regionBy(
    aws: Aws,
    more: Readonly<Record<string, string>> = {},
  ): Promise<string | undefined> {
    const { context } = makeContext({ ...NONE, ...aws.env(), ...more });
    const network = new Network(context);
    try {
      return await instanceRegion(context, network);
    } finally {
      network.close();
      context.deadline.clear();
    }
  }

  test("is unknown where the service refuses, is off, or ends before it has answered", () =>
    withAws(async (aws) => {
      assert.equal(await regionBy(aws), "us-east-1");
      assert.equal(await regionBy(aws, { AWS_EC2_METADATA_DISABLED: "false" }), "us-east-1");
      aws.resetCalls();
      assert.equal(await regionBy(aws, { AWS_EC2_METADATA_DISABLED: "True" }), undefined);
      assert.equal(aws.count("imds"), 0);
      for (const fault of [{ action: "status", status: 404 }, { action: "closeMidBody" }] as const) {
        const rule = aws.faults.add({ service: "imds", operation: "GetRegion", ...fault });
        assert.equal(await regionBy(aws), undefined);
        await rule.remove();
      }
    }));

  test("one that is none is refused, and comes after that of the key", () =>
    withAws(async (aws) => {
      const { AWS_REGION: _, ...env } = aws.env();
      const { context } = makeContext({ ...NONE, ...env });
      const network = new Network(context);
      const arn = "arn:aws:kms:eu-west-2:111122223333:key/x";
      aws.faults.add({ service: "imds", operation: "GetRegion", action: "body", body: "evil.test/" });
      assert.deepEqual(await resolveRegion(context, undefined, arn, network), {
        name: "eu-west-2",
        from: "the key ARN",
      });
      assert.equal(aws.count("imds"), 0);
      await assert.rejects(resolveRegion(context, undefined, undefined, network), {
        kind: "config",
        message: "the region in instance metadata is not a region",
      });
      await aws.faults.clear();
      assert.deepEqual(await resolveRegion(context, undefined, undefined, network), {
        name: "us-east-1",
        from: "instance metadata",
      });
      network.close();
      context.deadline.clear();
    }));
});
