/** What the client of Vault asks, to the letter, and what it makes of each answer. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Environment } from "../../../src/base/env.ts";
import { SealexecError } from "../../../src/base/errors.ts";
import { VERSION } from "../../../src/base/version.ts";
import { VaultClient } from "../../../src/vault/client.ts";
import { makeContext } from "../refuses.ts";
import type { Stage } from "../refuses.ts";
import { lastsAtMost, withServices } from "../service.ts";
import type { Service } from "../service.ts";

const NOBODY = (): never => assert.fail("no login by AWS");
const TOKEN = { VAULT_TOKEN: "hvs.A" };
const APPROLE = { VAULT_AUTH: "approle", VAULT_ROLE_ID: "role", VAULT_SECRET_ID: "secret" };
const WELCOME = { body: { auth: { client_token: "hvs.B", lease_duration: 60 } } };
const PATH = "secret/data/app";

async function withClient<T>(
  env: Environment,
  work: (client: VaultClient, stage: Stage) => Promise<T>,
  { before, now }: { readonly before?: VaultClient; readonly now?: () => number } = {},
): Promise<T> {
  const stage = makeContext(env, 30_000, now);
  const client = new VaultClient(stage.context, NOBODY, before);
  try {
    return await work(client, stage);
  } finally {
    client.close();
    stage.context.deadline.clear();
  }
}

const read = (vault: Service, env: Environment, call: object = {}): Promise<unknown> =>
  withClient({ VAULT_ADDR: vault.url, ...TOKEN, ...env }, (client) => client.read({ path: PATH, ...call }));

/** Without those of the connection. */
function headersOf({ asked }: Service, index = 0): Readonly<Record<string, unknown>> {
  const { host: _, connection: __, ...headers } = asked[index]?.headers ?? {};
  return headers;
}

describe("a call of Vault", () => {
  const OURS = { accept: "application/json", "user-agent": `sealexec/${VERSION}`, "x-vault-request": "true" };

  test("is a GET with the token, without a body", () =>
    withServices(1, async (vault) => {
      vault.answers({ body: { data: 1 } });
      await read(vault, {}, { path: "team/kv/a b/c?d#e/ü", query: { version: "2", x: "a&b" } });
      assert.deepEqual(vault.lines, ["GET /v1/team/kv/a%20b/c%3Fd%23e/%C3%BC?version=2&x=a%26b"]);
      assert.deepEqual(headersOf(vault), { ...OURS, "x-vault-token": "hvs.A" });
      assert.equal(vault.asked[0]?.body, "");
    }));

  test("is in the namespace, a login too, which has a body and no token", () =>
    withServices(1, async (vault) => {
      vault.answers(WELCOME, {});
      await read(vault, { ...APPROLE, VAULT_TOKEN: "", VAULT_NAMESPACE: "admin/t/" });
      assert.deepEqual(vault.lines, ["POST /v1/auth/approle/login", `GET /v1/${PATH}`]);
      const [{ body = "" } = {}] = vault.asked;
      assert.equal(body, '{"role_id":"role","secret_id":"secret"}');
      assert.deepEqual(headersOf(vault), {
        ...OURS,
        "content-type": "application/json",
        "content-length": String(body.length),
        "x-vault-namespace": "admin/t/",
      });
      const namespace = { "x-vault-namespace": "admin/t/" };
      assert.deepEqual(headersOf(vault, 1), { ...OURS, ...namespace, "x-vault-token": "hvs.B" });
    }));

  test("gives the answer's object, numbers as they were written", () =>
    withServices(1, async (vault) => {
      vault.answers({ body: '{"a": {"b": [1.10, null, "x", {"c": true}]}}' });
      assert.equal(
        JSON.stringify(await read(vault, {})),
        JSON.stringify({ a: { b: [{ text: "1.10" }, null, "x", { c: { text: "true" } }] } }),
      );
    }));

  for (const [what, reply] of [
    ["no JSON", { body: "<html>" }],
    ["nothing", { status: 204, body: "" }],
    ["a list", { body: [{}] }],
    ["a text", { body: '"x"' }],
    ["null", { body: "null" }],
    ["an object under another status", { status: 202 }],
    ["an object under the last status of success", { status: 299 }],
    ["a failure", { status: 500 }],
  ] as const) {
    test(`that is answered by ${what} is made again, as often as it may be`, () =>
      withServices(1, async (vault) => {
        vault.answers(reply, reply, {});
        assert.deepEqual(await read(vault, {}), {});
        assert.equal(vault.asked.length, 3);
        for (const mostAttempts of [1, 2]) {
          vault.answers(reply, reply, {});
          await assert.rejects(read(vault, {}, { mostAttempts }), { kind: "unavailable" });
          assert.equal(vault.asked.length, mostAttempts);
        }
      }));
  }

  test("may have a meaning of its own for a refusal, which is then not made again; for nothing else", () =>
    withServices(1, async (vault) => {
      const explained: string[] = [];
      const explain = ({ status }: { status: number }, operation: string): SealexecError | undefined => {
        explained.push(`${operation}: ${status}`);
        return status === 500 ? new SealexecError("missing", "own meaning") : undefined;
      };
      vault.answers({ status: 500 });
      await assert.rejects(read(vault, {}, { explain }), { kind: "missing", message: "own meaning" });
      vault.answers({ status: 403 });
      await assert.rejects(read(vault, {}, { explain }), { kind: "denied", message: /^permission denied/ });
      vault.answers({ body: "<html>" });
      await assert.rejects(read(vault, {}, { explain, mostAttempts: 1 }), { kind: "unavailable" });
      assert.deepEqual(explained, [`GET ${PATH}: 500`, `GET ${PATH}: 403`]);
    }));

  test("takes an answer of 4 MiB, and none that is larger, of which it asks no second time", () =>
    withServices(1, async (vault) => {
      const body = (size: number): string => `{"a":"${"x".repeat(size - 8)}"}`;
      vault.answers({ body: body(4 * 1024 * 1024) });
      await read(vault, {});
      vault.answers({ body: body(4 * 1024 * 1024 + 1) });
      await assert.rejects(read(vault, {}), {
        kind: "data",
        message: /the answer is too large \(GET secret/,
      });
      assert.equal(vault.asked.length, 1);
    }));

  test("is waited for ten seconds, or as long as it says", () =>
    withServices(1, async (vault) => {
      const once = { mostAttempts: 1 };
      for (const [timeMs, call] of [
        [10_000, once],
        [700, { ...once, attemptMs: 700 }],
      ] as const) {
        const failure = await lastsAtMost(timeMs, vault, () => read(vault, {}, call));
        assert.ok(failure instanceof SealexecError && failure.kind === "timeout", String(failure));
      }
    }));
});

describe("a standby's redirect", () => {
  test("is followed once, with all that was asked, as a login is", () =>
    withServices(2, async (standby, active) => {
      const redirects = (path: string) => ({ status: 307, headers: { location: active.url + path } });
      standby.answers(redirects("/v1/auth/approle/login"), redirects(`/v1/${PATH}?version=2`));
      active.answers(WELCOME, { body: { data: "x" } });
      const env = { VAULT_ADDR: standby.url, VAULT_NAMESPACE: "t", ...APPROLE };
      await withClient(env, async (client) => {
        assert.deepEqual(await client.read({ path: PATH, query: { version: "2" } }), { data: "x" });
      });
      assert.deepEqual(active.lines, standby.lines);
      for (const index of [0, 1]) {
        assert.deepEqual(headersOf(active, index), headersOf(standby, index));
        assert.equal(active.asked[index]?.body, standby.asked[index]?.body);
      }
      assert.equal(headersOf(active, 1)["x-vault-token"], "hvs.B");
    }));

  test("is refused by who redirects himself, and where it is forbidden; nothing is asked again", () =>
    withServices(2, async (standby, active) => {
      const redirect = { status: 307, headers: { location: `${active.url}/v1/${PATH}` } };
      standby.answers(redirect);
      active.answers(redirect);
      await assert.rejects(read(standby, {}), { kind: "config", message: "Vault redirects more than once" });
      assert.deepEqual([standby.asked.length, active.asked.length], [1, 1]);
      standby.answers(redirect);
      const env = { VAULT_DISABLE_REDIRECTS: "1" };
      await assert.rejects(read(standby, env), { kind: "config", message: /VAULT_DISABLE_REDIRECTS is set/ });
      assert.deepEqual([standby.asked.length, active.asked.length], [1, 1]);
    }));

  test("of any other kind is none", () =>
    withServices(2, async (standby, active) => {
      for (const status of [300, 301, 302, 308]) {
        standby.answers({ status, headers: { location: `${active.url}/v1/${PATH}` } });
        await assert.rejects(read(standby, {}), { kind: "config", message: /does not take this request/ });
      }
      assert.deepEqual(active.asked, []);
    }));
});

describe("the run's token", () => {
  test("is looked for once, and said where it is from", () =>
    withServices(1, async (vault) => {
      vault.answers(WELCOME, {}, {});
      await withClient({ VAULT_ADDR: vault.url, ...APPROLE }, async (client, { steps }) => {
        await Promise.all([client.read({ path: "a" }), client.read({ path: "b" })]);
        assert.deepEqual(
          steps.map(({ stage, target, detail, ok }) => [stage, target, detail, ok]),
          [["credentials", "Vault", "login by approle", true]],
        );
      });
      assert.equal(vault.lines[0], "POST /v1/auth/approle/login");
      assert.equal(vault.asked.length, 3);
    }));

  test("that is refused at its login is said to be that of Vault's credentials", () =>
    withServices(1, async (vault) => {
      vault.answers({ status: 400 });
      await assert.rejects(read(vault, { ...APPROLE, VAULT_TOKEN: "" }), {
        kind: "denied",
        message: "credentials: Vault: the login was refused (POST auth/approle/login: 400)",
      });
    }));

  const logins = (vault: Service): number => vault.lines.filter((line) => line.startsWith("POST ")).length;

  test("of a login is for the rounds after it, for ever where it does not expire, until it was refused", () =>
    withServices(1, async (vault) => {
      const endless = { body: { auth: { client_token: "hvs.B", lease_duration: 0 } } };
      vault.answers(endless, {}, {}, {}, endless, {});
      let [before, atMs]: [VaultClient | undefined, number] = [undefined, 0];
      const round = (forget: boolean): Promise<void> =>
        withClient(
          { VAULT_ADDR: vault.url, ...APPROLE },
          async (client) => {
            await client.read({ path: PATH });
            if (forget) client.forgetToken();
            before = client;
          },
          { ...(before === undefined ? {} : { before }), now: () => atMs },
        );
      await round(false);
      atMs = 1e12;
      await round(false);
      await round(true);
      assert.equal(logins(vault), 1);
      await round(false);
      assert.equal(logins(vault), 2);
      assert.equal(headersOf(vault, 5)["x-vault-token"], "hvs.B");
    }));

  test("of a login is good from when it was asked for", () =>
    withServices(1, async (vault) => {
      const LEASE_MS = 60_000;
      const reads = async (before: VaultClient | undefined, atMs: number): Promise<VaultClient> =>
        withClient(
          { VAULT_ADDR: vault.url, ...APPROLE },
          async (client) => {
            await client.read({ path: PATH });
            return client;
          },
          { ...(before === undefined ? {} : { before }), now: () => atMs },
        );
      vault.answers(WELCOME, {}, {}, WELCOME, {});
      const first = await reads(undefined, 5_000);
      const second = await reads(first, 5_000 + (LEASE_MS * 2) / 3 - 1);
      assert.equal(logins(vault), 1);
      await reads(second, 5_000 + (LEASE_MS * 2) / 3);
      assert.equal(logins(vault), 2);
    }));

  test("that the environment names is taken from there in each round", () =>
    withServices(1, async (vault) => {
      vault.answers({}, {});
      const env = { VAULT_ADDR: vault.url };
      const first = await withClient({ ...env, VAULT_TOKEN: "hvs.1" }, async (client) => {
        await client.read({ path: PATH });
        return client;
      });
      const before = { before: first };
      await withClient({ ...env, VAULT_TOKEN: "hvs.2" }, (client) => client.read({ path: PATH }), before);
      assert.deepEqual(
        vault.asked.map(({ headers }) => headers["x-vault-token"]),
        ["hvs.1", "hvs.2"],
      );
    }));
});

test("a client that is closed leaves no connection open", () =>
  withServices(1, async (vault) => {
    vault.answers({}, {});
    await withClient({ VAULT_ADDR: vault.url, ...TOKEN }, async (client) => {
      await client.read({ path: "a" });
      await client.read({ path: "b" });
      // Kept for the next call.
      assert.equal(vault.open, 1);
    });
    await vault.isLeft();
  }));

test("a login by AWS is by the credentials that are given for it", () =>
  withServices(1, async (vault) => {
    vault.answers(WELCOME, {});
    const { context } = makeContext({ VAULT_ADDR: vault.url, VAULT_AUTH: "aws", VAULT_ROLE: "app" });
    const client = new VaultClient(context, async () => ({ accessKeyId: "AKIAA", secretAccessKey: "s" }));
    try {
      await client.read({ path: PATH });
    } finally {
      client.close();
      context.deadline.clear();
    }
    const { iam_request_headers: headers } = JSON.parse(vault.asked[0]?.body ?? "") as Record<string, string>;
    assert.match(Buffer.from(headers ?? "", "base64").toString("utf8"), /Credential=AKIAA\//);
  }));

test("settings that cannot be used are said before anything is asked", () => {
  const { context } = makeContext({ VAULT_ADDR: "vault" });
  context.deadline.clear();
  assert.throws(() => new VaultClient(context, NOBODY), { kind: "config", message: /VAULT_ADDR/ });
});
