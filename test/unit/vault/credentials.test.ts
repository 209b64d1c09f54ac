/** AWS credentials that Vault makes: what it is asked, what is taken of its answer, and how long AWS is waited for. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AwsSession } from "../../../src/aws/session.ts";
import type { Credentials } from "../../../src/aws/credentials/source.ts";
import { SealexecError } from "../../../src/base/errors.ts";
import { VaultClient } from "../../../src/vault/client.ts";
import { vaultCredentials } from "../../../src/vault/credentials.ts";
import { makeContext } from "../refuses.ts";
import { lastsAtMost, withServices } from "../service.ts";
import type { Reply, Service } from "../service.ts";

const SESSION = { access_key: "AKIAA", secret_key: "secret", security_token: "session" };
const USER = { access_key: "AKIAA", secret_key: "secret", security_token: null };
const made = (data: unknown, lease: unknown = 3_600): Reply => ({ body: { data, lease_duration: lease } });

const XML = { "content-type": "text/xml" };
const KNOWN: Reply = {
  headers: XML,
  body: `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/u</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`,
};
const refusal = (status: number, code: string): Reply => ({
  status,
  headers: XML,
  body: `<ErrorResponse><Error><Code>${code}</Code><Message>m</Message></Error></ErrorResponse>`,
});
const UNKNOWN = refusal(403, "InvalidClientTokenId");

type Loaded = Omit<Credentials, "passedOver">;

interface Place {
  readonly vault: Service;
  readonly sts: Service;
  readonly log: readonly string[];
  /** moves the context's clock */
  at(ms: number): void;
  load(kind?: "creds" | "sts"): Promise<Loaded>;
}

function withPlace(work: (place: Place) => Promise<void>): Promise<void> {
  return withServices(2, async (vault, sts) => {
    const env = { VAULT_ADDR: vault.url, VAULT_TOKEN: "hvs.A", AWS_ENDPOINT_URL_STS: sts.url };
    let nowMs = 1_000;
    const { context, log } = makeContext(env, 120_000, () => nowMs);
    const client = new VaultClient(context, () => assert.fail("no login by AWS"));
    const session = new AwsSession(context, undefined);
    const load = (kind: "creds" | "sts" = "creds"): Promise<Loaded> => {
      const work = { context, network: session.network, region: async () => "eu-west-1" };
      return vaultCredentials({ mount: "team/aws", kind, role: "app" }, client).load(work);
    };
    try {
      await work({ vault, sts, log, load, at: (ms) => (nowMs = ms) });
    } finally {
      client.close();
      session.close();
      context.deadline.clear();
    }
  });
}

describe("AWS credentials of Vault", () => {
  const NAME = "vault:team/aws/sts/app";

  for (const [what, data] of [
    ["as Vault up to 1.16 says it", SESSION],
    ["as Vault says it since", { ...SESSION, security_token: undefined, session_token: "session" }],
    ["as Vault says it twice", { ...SESSION, session_token: "another" }],
  ] as const) {
    test(`a session, ${what}: good at once, until its lease ends`, () =>
      withPlace(async ({ vault, sts, load }) => {
        vault.answers(made(data));
        const earliest = Date.now() + 3_600_000;
        const { expiresAt = 0, ...others } = await load("sts");
        assert.ok(expiresAt >= earliest && expiresAt <= Date.now() + 3_600_000);
        const identity = { accessKeyId: "AKIAA", secretAccessKey: "secret", sessionToken: "session" };
        assert.deepEqual(others, { identity, source: NAME });
        assert.deepEqual([vault.lines, sts.asked], [["GET /v1/team/aws/sts/app"], []]);
      }));
  }

  test("a lease without an end is none", () =>
    withPlace(async ({ vault, load }) => {
      vault.answers(made(SESSION, 0));
      assert.equal("expiresAt" in (await load("sts")), false);
    }));

  test("a user's key: AWS is asked until it knows it, and may not know it everywhere for half a minute", () =>
    withPlace(async ({ vault, sts, load, at }) => {
      at(5_000);
      vault.answers(made({ ...USER, session_token: "" }));
      sts.answers(UNKNOWN, refusal(403, "SignatureDoesNotMatch"), KNOWN);
      const { settledAt, identity, source, expiresAt } = await load();
      assert.deepEqual(identity, { accessKeyId: "AKIAA", secretAccessKey: "secret" });
      assert.deepEqual([source, settledAt], ["vault:team/aws/creds/app", 35_000]);
      assert.ok(expiresAt !== undefined);
      assert.deepEqual([vault.lines, sts.lines], [["GET /v1/team/aws/creds/app"], Array(3).fill("POST /")]);
      const { headers: { authorization = "" } = {}, body } = sts.asked[0] ?? assert.fail("not asked");
      assert.match(authorization, /Credential=AKIAA\/\d{8}\/eu-west-1\/sts\//);
      assert.match(body ?? "", /Action=GetCallerIdentity/);
    }));

  test("a key that AWS refuses for another reason is refused", () =>
    withPlace(async ({ vault, sts, load, log }) => {
      vault.answers(made(USER));
      sts.answers(refusal(403, "AccessDenied"));
      await assert.rejects(load(), { kind: "denied", message: /\(GetCallerIdentity: AccessDenied, 403/ });
      assert.equal(sts.asked.length, 1);
      assert.ok(!log.some((line) => line.includes("going on")));
    }));

  test("an STS that has not answered yet is not waited for; one that has is", () =>
    withPlace(async ({ vault, sts, load, log }) => {
      const going = (): number => log.filter((line) => line.includes("STS cannot be asked whether")).length;
      const failing = refusal(500, "InternalFailure");
      vault.answers(made(USER), made(USER), made(USER));
      sts.answers(failing);
      assert.ok((await load()).settledAt !== undefined);
      assert.deepEqual([sts.asked.length, going()], [1, 1]);
      sts.answers(UNKNOWN, failing, failing, KNOWN);
      await load();
      assert.deepEqual([sts.asked.length, going()], [4, 1]);
    }));

  test("a key that AWS never knows is given up after half a minute", () =>
    withPlace(async ({ vault, sts, load, at }) => {
      vault.answers(made(USER));
      sts.answers(UNKNOWN, UNKNOWN, KNOWN);
      const asked = sts.nextAsked();
      const loading = load();
      await asked;
      at(31_000);
      await assert.rejects(loading, {
        kind: "denied",
        message: /^AWS does not know the new key yet \(GetCallerIdentity: InvalidClientTokenId\)$/,
        hint: /sts\/ROLE/,
      });
      assert.equal(sts.asked.length, 1);
    }));

  test("what Vault refuses: its role is a matter of its configuration, all else means what it means elsewhere", () =>
    withPlace(async ({ vault, load }) => {
      for (const [status, kind, message] of [
        [400, "config", /^Vault could not make AWS credentials \(GET team\/aws\/creds\/app: 400\)$/],
        [403, "denied", /^permission denied \(GET team/],
        [404, "missing", /^not there \(GET team/],
      ] as const) {
        vault.answers({ status });
        await assert.rejects(load(), { kind, message });
        assert.equal(vault.asked.length, 1);
      }
    }));

  for (const data of [
    undefined,
    [],
    {},
    { ...USER, access_key: "" },
    { ...USER, secret_key: "" },
    { ...USER, access_key: 7 },
    { ...USER, secret_key: null },
  ]) {
    test(`${JSON.stringify(data)} holds none`, () =>
      withPlace(async ({ vault, sts, load }) => {
        vault.answers(made(data));
        const message = "the answer holds no AWS credentials (GET team/aws/creds/app)";
        await assert.rejects(load(), { kind: "config", message, hint: /vault secrets list/ });
        assert.deepEqual([vault.asked.length, sts.asked], [1, []]);
      }));
  }

  test("have the name under which they were asked for", () => {
    const { context } = makeContext({ VAULT_ADDR: "http://127.0.0.1:1" });
    context.deadline.clear();
    const client = new VaultClient(context, () => assert.fail("no login by AWS"));
    assert.equal(vaultCredentials({ mount: "a/b", kind: "sts", role: "c" }, client).name, "vault:a/b/sts/c");
  });

  test("an STS that is silent is waited for three seconds, and its connection given up", () =>
    withPlace(async ({ vault, sts, load }) => {
      // The SDK's own timers are not those of the test: it is asked once before.
      vault.answers(made(USER), made(USER));
      sts.answers(KNOWN);
      await load();
      const ended = await lastsAtMost(3_000, sts, async () => {
        await load();
        assert.fail("gone on");
      });
      assert.match(String(ended), /gone on/);
      await sts.isLeft();
    }));

  test("Vault is waited for 25 seconds: another attempt would make another user", () =>
    withServices(1, async (vault) => {
      const failure = await lastsAtMost(25_000, vault, async () => {
        // The time is over then: no second attempt is begun.
        const now = (): number => (vault.asked.length === 0 ? 0 : 60_000);
        const { context } = makeContext({ VAULT_ADDR: vault.url, VAULT_TOKEN: "hvs.A" }, 60_000, now);
        const client = new VaultClient(context, () => assert.fail("no login by AWS"));
        const session = new AwsSession(context, undefined);
        try {
          const work = { context, network: session.network, region: async () => "eu-west-1" };
          return await vaultCredentials({ mount: "aws", kind: "sts", role: "app" }, client).load(work);
        } finally {
          client.close();
          session.close();
          context.deadline.clear();
        }
      });
      assert.ok(failure instanceof SealexecError && failure.kind === "timeout", String(failure));
    }));
});
