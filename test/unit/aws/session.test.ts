/** The way to AWS for one round: regions, credentials, connections, and what the next round is told of them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GetObjectCommand } from "../../../src/aws/sdk.ts";
import { AwsSession } from "../../../src/aws/session.ts";
import type { AwsNeed } from "../../../src/aws/session.ts";
import type { ChosenSource } from "../../../src/aws/credentials/source.ts";
import { ask } from "../../../src/http/ask.ts";
import { directObject, directService } from "../../../src/aws/endpoint.ts";
import type { Aws } from "../../aws/server.ts";
import { BUCKET, withAws } from "../../e2e/harness.ts";
import { until } from "../../e2e/expect.ts";
import { makeContext, refuses } from "../refuses.ts";
import type { Stage } from "../refuses.ts";

const MINUTE_MS = 60_000;
const ARN = "arn:aws:kms:ca-central-1:111122223333:key/x";
const NONE = { HOME: "/nonexistent", AWS_EC2_METADATA_DISABLED: "true" };
const TOLD = { ...NONE, AWS_REGION: "eu-west-1" };

/** An object in a bucket, to which no connection is opened ahead. */
function objectIn(bucket: string, region?: string): AwsNeed {
  return {
    home: `bucket ${bucket}`,
    ...(region === undefined ? {} : { region }),
    urls: () => [undefined],
  };
}

/** The same, by the direct way. */
function connected(bucket: string): AwsNeed {
  return {
    ...objectIn(bucket),
    urls: (region, kms, env) => [
      directObject(bucket, "app.env", region, env),
      directService("kms", kms, env),
    ],
  };
}

interface Made {
  readonly session: AwsSession;
  readonly stage: Stage;
}

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly key?: string;
  readonly chosen?: ChosenSource;
  readonly before?: AwsSession;
  readonly now?: () => number;
}

function makeSession({ env = TOLD, key, chosen, before, now }: Given = {}): Made {
  const stage = makeContext(env, 30_000, now);
  stage.context.deadline.clear();
  const session = new AwsSession(
    stage.context,
    key,
    chosen === undefined ? undefined : async () => chosen,
    before,
  );
  return { session, stage };
}

/** A source that hands out a new key each time, until it is away. */
function numbered(expiresAt?: () => number): ChosenSource & { loads: number; away: boolean } {
  const source = {
    name: "numbered",
    loads: 0,
    away: false,
    load: async () => {
      if (source.away) throw new Error("away");
      source.loads += 1;
      const identity = { accessKeyId: `AKIA${source.loads}`, secretAccessKey: "secret" };
      return { identity, source: "numbered", ...(expiresAt === undefined ? {} : { expiresAt: expiresAt() }) };
    },
  };
  return source;
}

describe("regions of a session", () => {
  test("each is found once, in the order of the sources, and told as a step", async () => {
    const chosen = numbered();
    const { session, stage } = makeSession({ chosen });
    const [a, b] = [objectIn("a"), objectIn("b", "us-west-2")];
    await session.begin([a, b, a]);
    await session.begin([b]);
    assert.deepEqual([session.regionName(a), session.regionName(b)], ["eu-west-1", "us-west-2"]);
    const steps = stage.steps.filter(({ stage: name }) => name === "region");
    assert.deepEqual(
      steps.map(({ target, ok, detail }) => [target, ok, detail]),
      [
        ["bucket a", true, "eu-west-1 (from AWS_REGION)"],
        ["bucket b", true, "us-west-2 (from the URI)"],
      ],
    );
    session.close();
  });

  test("one that nobody knows is no guess", async () => {
    const { session } = makeSession({ env: NONE, chosen: numbered() });
    await assert.rejects(session.begin([objectIn("a")]), {
      kind: "config",
      message: /^region: bucket a: no region/,
    });
    refuses(() => session.regionName(objectIn("a")), "config", /no region is known/);
    await assert.rejects(session.anyRegion(), { kind: "config" });
  });

  test("that of the key counts for KMS alone, and that of the bucket where it has none", async () => {
    for (const [key, kms] of [
      [ARN, "ca-central-1"],
      ["alias/app", "eu-west-1"],
      [undefined, "eu-west-1"],
    ] as const) {
      const { session } = makeSession({ chosen: numbered(), ...(key === undefined ? {} : { key }) });
      const need = objectIn("a");
      await session.begin([need]);
      assert.deepEqual([session.regionName(need), session.kmsRegion(need)], ["eu-west-1", kms]);
      const direct = await session.directKms(need);
      assert.deepEqual([direct?.url.hostname, direct?.caller.region], [`kms.${kms}.amazonaws.com`, kms]);
      session.close();
    }
  });

  test("a bucket that is elsewhere stays there in the next round, and is nothing to an earlier one", async () => {
    const need = objectIn("a");
    const { session: first } = makeSession({ chosen: numbered() });
    await first.begin([need]);
    const { session: second } = makeSession({ chosen: numbered(), before: first });
    second.moveBucket(need, "us-east-2");
    const { session: third, stage } = makeSession({ chosen: numbered(), before: second });
    await third.begin([need]);
    assert.deepEqual(
      [first, second, third].map((session) => session.regionName(need)),
      ["eu-west-1", "us-east-2", "us-east-2"],
    );
    assert.equal(stage.steps.filter(({ stage: name }) => name === "region").length, 0);
    for (const session of [first, second, third]) session.close();
  });

  test("services that answer anywhere are asked in the first source's, else in the one that is set", async () => {
    const { session } = makeSession({ chosen: numbered() });
    assert.equal(await session.anyRegion(), "eu-west-1");
    await session.begin([objectIn("b", "us-west-2"), objectIn("a")]);
    assert.equal(await session.anyRegion(), "us-west-2");
    session.close();
  });

  test("a source of credentials is told the first one", async () => {
    const told: string[] = [];
    const chosen: ChosenSource = {
      name: "asks",
      load: async ({ region }) => {
        told.push(await region());
        return { identity: { accessKeyId: "AKIA", secretAccessKey: "secret" }, source: "asks" };
      },
    };
    const { session } = makeSession({ chosen });
    await session.begin([objectIn("b", "us-west-2"), objectIn("a")]);
    await session.credentials();
    await makeSession({ chosen }).session.credentials("sa-east-1");
    await makeSession({ chosen }).session.credentials();
    assert.deepEqual(told, ["us-west-2", "sa-east-1", "eu-west-1"]);
    session.close();
  });
});

describe("credentials of a session", () => {
  test("are loaded once for all who wait, as a step that says where they come from", async () => {
    const chosen = numbered();
    const { session, stage } = makeSession({ chosen });
    const all = await Promise.all([
      session.credentials("eu-west-1"),
      session.credentials(),
      session.credentials(),
    ]);
    assert.equal(chosen.loads, 1);
    assert.deepEqual(new Set(all).size, 1);
    const [step] = stage.steps;
    assert.deepEqual(
      [step?.stage, step?.target, step?.ok, step?.detail],
      ["credentials", "AWS", true, "numbered"],
    );
  });

  for (const [what, leftMs, loads] of [
    ["with more than five minutes left are kept for the next round", 5 * MINUTE_MS + 1, 1],
    ["with five minutes left are asked for anew", 5 * MINUTE_MS, 2],
  ] as const) {
    test(`${what}`, async (t) => {
      t.mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 });
      const chosen = numbered(() => Date.now() + leftMs);
      const first = makeSession({ chosen }).session;
      await first.credentials();
      const second = makeSession({ chosen, before: first }).session;
      assert.equal((await second.credentials()).identity.accessKeyId, `AKIA${loads}`);
      assert.equal(chosen.loads, loads);
    });
  }

  test("that nobody says when they expire are kept for ever", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 });
    const chosen = numbered();
    const first = makeSession({ chosen }).session;
    await first.credentials();
    t.mock.timers.setTime(2_700_000_000_000);
    await makeSession({ chosen, before: first }).session.credentials();
    assert.equal(chosen.loads, 1);
  });

  test("that were refused are not used again, by the next round or those after it", async () => {
    const chosen = numbered();
    const first = makeSession({ chosen }).session;
    await first.credentials();
    first.forgetCredentials();
    const second = makeSession({ chosen, before: first }).session;
    assert.equal((await second.credentials()).identity.accessKeyId, "AKIA2");
    const third = makeSession({ chosen, before: second }).session;
    assert.equal((await third.credentials()).identity.accessKeyId, "AKIA2");
  });

  test("are good until they expire where nobody hands out others, and not after", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 });
    const endsAt = Date.now() + 10 * MINUTE_MS;
    const chosen = numbered(() => endsAt);
    const first = makeSession({ chosen }).session;
    await first.credentials();
    chosen.away = true;
    t.mock.timers.setTime(endsAt - 1);
    const second = makeSession({ chosen, before: first }).session;
    assert.equal((await second.credentials()).identity.accessKeyId, "AKIA1");
    t.mock.timers.setTime(endsAt);
    const third = makeSession({ chosen, before: second }).session;
    await assert.rejects(third.credentials(), { kind: "internal", message: /^credentials: AWS: / });
    chosen.away = false;
    assert.equal(
      (await makeSession({ chosen, before: third }).session.credentials()).identity.accessKeyId,
      "AKIA2",
    );
  });

  test("that cannot be had are the failure of those who wait for them, and of nobody else", async () => {
    const chosen = numbered();
    chosen.away = true;
    const { session } = makeSession({ chosen });
    await session.begin([objectIn("a")]);
    await assert.rejects(session.credentials(), { kind: "internal" });
    await assert.rejects(session.directKms(objectIn("a")), { kind: "internal" });
    session.close();
  });
});

describe("the direct way", () => {
  test("has the URL of the region, who asks, and one clock for all rounds", async () => {
    const chosen = numbered();
    const need = objectIn("a");
    const { session } = makeSession({ chosen });
    await session.begin([need]);
    const url = new URL("https://service.test/");
    const asked: unknown[] = [];
    const urlIn = (region: string, env: object): URL => {
      asked.push([region, env]);
      return url;
    };
    const direct = await session.direct(need, urlIn);
    assert.deepEqual(asked, [["eu-west-1", TOLD]]);
    assert.equal(direct?.url, url);
    const { network, identity, clock, region, unsettled } = direct.caller;
    assert.equal(network, session.network);
    assert.deepEqual([identity.accessKeyId, region, unsettled], ["AKIA1", "eu-west-1", false]);
    const next = makeSession({ chosen, before: session }).session;
    assert.equal((await next.direct(need, urlIn))?.caller.clock, clock);
    const other = makeSession({ chosen }).session;
    await other.begin([need]);
    assert.notEqual((await other.direct(need, urlIn))?.caller.clock, clock);
    for (const one of [session, next, other]) one.close();
  });

  test("is none where only the SDK knows the endpoint; nobody is asked for credentials then", async () => {
    const chosen = numbered();
    const env = { ...TOLD, AWS_USE_FIPS_ENDPOINT: "true" };
    const { session } = makeSession({ chosen, env });
    session.moveBucket(objectIn("a"), "us-east-1");
    assert.equal(await session.direct(objectIn("a"), () => undefined), undefined);
    assert.equal(await session.directKms(objectIn("a")), undefined);
    assert.equal(chosen.loads, 0);
  });

  for (const [nowMs, unsettled] of [
    [99, true],
    [100, false],
  ] as const) {
    test(`a key that AWS knows from 100 on is ${unsettled ? "new" : "settled"} at ${nowMs}`, async () => {
      const identity = { accessKeyId: "AKIA", secretAccessKey: "secret" };
      const chosen = { name: "new", load: async () => ({ identity, source: "new", settledAt: 100 }) };
      const { session } = makeSession({ chosen, now: () => nowMs });
      session.moveBucket(objectIn("a"), "us-east-1");
      assert.equal((await session.directKms(objectIn("a")))?.caller.unsettled, unsettled);
    });
  }
});

describe("connections of a session", () => {
  const listeners = (aws: Aws): string[] => aws.connections.map(({ listener }) => listener).toSorted();

  test("for reading are those of our own, open before they are asked for", () =>
    withAws(async (aws) => {
      aws.s3.put(BUCKET, "app.env", "text");
      const { session } = makeSession({ env: { ...NONE, ...aws.serviceEnv() }, chosen: numbered() });
      const need = connected(BUCKET);
      await session.begin([need]);
      await until(() => aws.connections.length === 2);
      assert.deepEqual(listeners(aws), ["kms", "s3"]);
      const { signal } = new AbortController();
      for (const way of [
        await session.direct(need, () => new URL(aws.endpoints.s3)),
        await session.directKms(need),
      ]) {
        assert.ok(way !== undefined);
        await ask(
          way.caller.network,
          { method: "GET", url: way.url, headers: {}, largestBody: 10_000 },
          signal,
        );
      }
      assert.deepEqual(listeners(aws), ["kms", "s3"]);
      session.close();
    }));

  test("for writing are the SDK's for S3, and our own for KMS", () =>
    withAws(async (aws) => {
      aws.s3.put(BUCKET, "app.env", "text");
      const env = { ...NONE, ...aws.keyEnv() };
      const { session } = makeSession({ env });
      const need = connected(BUCKET);
      await session.begin([need], "writing");
      await until(() => aws.connections.length === 2);
      const client = await session.s3(need);
      const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "app.env" }));
      assert.equal(await Body?.transformToString(), "text");
      const way = await session.directKms(need);
      assert.ok(way !== undefined);
      const question = { method: "GET", url: way.url, headers: {}, largestBody: 10_000 } as const;
      await ask(way.caller.network, question, new AbortController().signal);
      assert.deepEqual(listeners(aws), ["kms", "s3"]);
      session.close();
    }));

  test("clients of the SDK are one for each region, and KMS's that of the key", async () => {
    const { session } = makeSession({ chosen: numbered(), key: ARN });
    const [a, b, c] = [objectIn("a"), objectIn("b", "us-west-2"), objectIn("c")];
    await session.begin([a, b, c]);
    const clients = [await session.s3(a), await session.s3(b), await session.s3(c)];
    assert.equal(clients[0], clients[2]);
    assert.notEqual(clients[0], clients[1]);
    const regions = await Promise.all(clients.map(({ config }) => config.region()));
    assert.deepEqual(regions, ["eu-west-1", "us-west-2", "eu-west-1"]);
    const kms = await session.kms(a);
    assert.equal(kms, await session.kms(b));
    assert.equal(await kms.config.region(), "ca-central-1");
    session.close();
  });

  test("an endpoint that may not be asked is refused before anything else", () => {
    refuses(
      () => makeSession({ env: { ...TOLD, AWS_ENDPOINT_URL_SSM: "http://a.test" } }),
      "config",
      /plain HTTP/,
    );
    refuses(
      () => makeSession({ env: { ...TOLD, AWS_CA_BUNDLE: "/nonexistent" } }),
      "config",
      /AWS_CA_BUNDLE/,
    );
  });
});
