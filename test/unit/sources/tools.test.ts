/** What one run asks with, and what a later round keeps of it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Aws } from "../../aws/server.ts";
import { BUCKET, KEY, withAws } from "../../e2e/harness.ts";
import { RunTools } from "../../../src/sources/tools.ts";
import type { AwsNeed } from "../../../src/aws/session.ts";
import type { Key } from "../../../src/keys/key.ts";
import { s3Source } from "../../../src/stores/s3/store.ts";
import type { Source } from "../../../src/stores/source.ts";
import { makeContext } from "../refuses.ts";
import { textSource } from "./places.ts";

const S3: Source = { ...s3Source({ bucket: BUCKET, key: "app.env" }), options: {} };
const ONLY_KMS: AwsNeed = { home: "KMS", onlyKms: true, urls: () => [] };
const SEALED_FILE = textSource("file:a", "", { aws: ONLY_KMS });
const PLAIN = textSource("env-file:a", "");
const LOCAL: Key = { kind: "local", text: "local:k", path: "k" };
const KMS: Key = { kind: "kms", text: KEY };

async function withTools(aws: Aws, work: (tools: RunTools) => Promise<void>, key?: Key): Promise<void> {
  const { context } = makeContext(aws.env());
  const tools = new RunTools(context, key);
  try {
    await work(tools);
  } finally {
    tools.close();
    context.deadline.clear();
  }
}

/** A later round, asking as the first did. */
async function again(tools: RunTools, aws: Aws): Promise<RunTools> {
  const { context } = makeContext(aws.env());
  context.deadline.clear();
  const later = tools.renew(context);
  assert.equal(later.context, context);
  assert.equal(await later.begin([S3]), true);
  await later.session.credentials();
  later.close();
  return later;
}

describe("what is wanted of AWS", () => {
  test("is what the sources say, but for KMS under a local key", () => {
    const { context } = makeContext();
    context.deadline.clear();
    const needs = (key: Key | undefined): unknown[] =>
      new RunTools(context, key).needs([S3, PLAIN, SEALED_FILE]).map(({ home }) => home);
    assert.deepEqual(needs(undefined), [BUCKET, "KMS"]);
    assert.deepEqual(needs(KMS), [BUCKET, "KMS"]);
    assert.deepEqual(needs(LOCAL), [BUCKET]);
  });

  test("is nothing for what lies on this machine: nobody's settings are looked at", async () => {
    const { context } = makeContext({ AWS_CA_BUNDLE: "/nowhere", VAULT_ADDR: "no address" });
    context.deadline.clear();
    assert.equal(await new RunTools(context, undefined).begin([PLAIN]), false);
    const local = new RunTools(context, LOCAL);
    assert.equal(await local.begin([PLAIN, SEALED_FILE]), false);
    await assert.rejects(new RunTools(context, undefined).begin([SEALED_FILE]), { kind: "config" });
    await assert.rejects(local.vault(), { kind: "config" });
    local.forgetCredentials();
    local.close();
  });
});

describe("a later round", () => {
  test("keeps what was found out: credentials are asked for once", () =>
    withAws((aws) =>
      withTools(aws, async (tools) => {
        await tools.begin([S3]);
        await tools.session.credentials();
        assert.equal(tools.session, tools.session);
        const asked = aws.count("imds");
        const second = await again(tools, aws);
        assert.notEqual(second.session, tools.session);
        // One in which nobody asked anybody is passed over.
        const { context } = makeContext(aws.env());
        context.deadline.clear();
        await again(second.renew(context), aws);
        assert.equal(aws.count("imds"), asked);
      }),
    ));

  test("asks for others where they were refused", () =>
    withAws((aws) =>
      withTools(aws, async (tools) => {
        await tools.begin([S3]);
        await tools.session.credentials();
        const asked = aws.count("imds");
        tools.forgetCredentials();
        const second = await again(tools, aws);
        assert.equal(aws.count("imds"), 2 * asked);
        second.forgetCredentials();
        await again(second, aws);
        assert.equal(aws.count("imds"), 3 * asked);
      }),
    ));

  test("asks under the same key, and Vault by the same client's token", () =>
    withAws((aws) =>
      withTools(
        aws,
        async (tools) => {
          const { context } = makeContext({ VAULT_ADDR: "http://127.0.0.1:1", VAULT_TOKEN: "t" });
          context.deadline.clear();
          const later = tools.renew(context);
          assert.deepEqual(later.needs([SEALED_FILE]), []);
          const vault = later.vault();
          assert.equal(vault, later.vault());
          const next = later.renew(context);
          assert.notEqual(await next.vault(), await vault);
          next.close();
          later.close();
        },
        LOCAL,
      ),
    ));
});

test("a key's ARN says in which region its KMS is asked", async () => {
  const { context } = makeContext({
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "a",
    AWS_SECRET_ACCESS_KEY: "b",
  });
  context.deadline.clear();
  const arn = "arn:aws:kms:eu-north-1:111122223333:key/11111111-2222-3333-4444-555555555555";
  const tools = new RunTools(context, { kind: "kms", text: arn });
  const seen: string[][] = [];
  const urls = (region: string, kmsRegion: string): never[] => {
    seen.push([region, kmsRegion]);
    return [];
  };
  await tools.begin([textSource("test:a", "", { aws: { home: "x", urls } })]);
  assert.deepEqual(seen, [["us-east-1", "eu-north-1"]]);
  tools.close();
});
