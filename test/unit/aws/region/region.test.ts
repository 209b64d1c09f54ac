import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Network } from "../../../../src/http/network.ts";
import { parseRegion, regionOfKey, resolveRegion } from "../../../../src/aws/region.ts";
import { makeContext, refuses } from "../../refuses.ts";

describe("regions", () => {
  for (const name of [
    "us-east-1",
    "us-gov-west-1",
    "ap-southeast-4",
    "cn-north-1",
    "us-iso-east-1",
    "local",
    "x",
  ]) {
    test(`${name} is one`, () => assert.equal(parseRegion(name, "the URI").name, name));
  }
  for (const name of [
    "",
    "us-east-1.",
    "a.b",
    "a/b",
    "a b",
    "A",
    "-a",
    "a-",
    "a--b",
    "ł",
    "a\n",
    "a:1",
    "a@b",
    "a?b",
    "a#b",
    "a%2e",
    "x".repeat(33),
  ]) {
    test(`${JSON.stringify(name)} is none, and is not repeated`, () => {
      const { message } = refuses(() => parseRegion(name, "AWS_REGION"), "config", /AWS_REGION/);
      if (name.length > 12) assert.ok(!message.includes(name));
    });
  }

  test("a key ARN names one, an id or an alias does not", () => {
    assert.equal(regionOfKey("arn:aws:kms:eu-west-1:111122223333:key/x"), "eu-west-1");
    assert.equal(regionOfKey("arn:aws-cn:kms:cn-north-1:111122223333:alias/x"), "cn-north-1");
    for (const key of [undefined, "", "alias/x", "1234abcd", "arn:aws:s3:::bucket", "alias/arn:aws:kms:x"]) {
      assert.equal(regionOfKey(key), undefined);
    }
  });

  const none = { AWS_EC2_METADATA_DISABLED: "true", HOME: "/nonexistent" };
  const arn = "arn:aws:kms:ca-central-1:111122223333:key/x";

  async function resolved(env: Record<string, string>, uri?: string, key?: string) {
    const { context } = makeContext({ ...none, ...env });
    try {
      return await resolveRegion(context, uri, key, new Network(context));
    } finally {
      context.deadline.clear();
    }
  }

  test("the order: URI, AWS_REGION, AWS_DEFAULT_REGION, key ARN, unknown", async () => {
    const env = { AWS_REGION: "eu-west-1", AWS_DEFAULT_REGION: "eu-west-2" };
    assert.equal((await resolved(env, "ap-south-1", arn))?.name, "ap-south-1");
    assert.deepEqual(await resolved(env, undefined, arn), { name: "eu-west-1", from: "AWS_REGION" });
    const empty = await resolved({ ...env, AWS_REGION: "" }, undefined, arn);
    assert.deepEqual(empty, { name: "eu-west-2", from: "AWS_DEFAULT_REGION" });
    assert.deepEqual(await resolved({}, undefined, arn), { name: "ca-central-1", from: "the key ARN" });
    await assert.rejects(resolved({}, undefined, "alias/x"), /no region is known/);
  });
  test("a wrong one is refused, not passed over", async () => {
    await assert.rejects(
      resolved({ AWS_REGION: "evil.test", AWS_DEFAULT_REGION: "eu-west-2" }),
      /AWS_REGION/,
    );
    await assert.rejects(resolved({}, undefined, "arn:aws:kms:evil.test/:1:key/x"), /key ARN/);
  });
});
