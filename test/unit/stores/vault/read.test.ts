/** A secret of Vault: which requests are made for it, what is taken of the answers, and how it is looked at again. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AwsSession } from "../../../../src/aws/session.ts";
import type { Content, Tools } from "../../../../src/stores/source.ts";
import { parseSource } from "../../../../src/stores/registry.ts";
import { VaultClient } from "../../../../src/vault/client.ts";
import { makeContext } from "../../refuses.ts";
import { withServices } from "../../service.ts";
import type { Reply, Service } from "../../service.ts";

const SYS = "GET /v1/sys/internal/ui/mounts/kv";
const V2 = "GET /v1/kv/data/app";
const V1 = "GET /v1/kv/app";

const mount = (version: string | null, type = "kv"): Reply => ({
  body: { data: { type, options: version === null ? null : { version } } },
});
const secret = (data: unknown, version: unknown = 3, created = "2026-01-02"): Reply => ({
  body: { data: { data, metadata: { version, created_time: created, destroyed: false } } },
});
const old = (data: unknown): Reply => ({ body: { data } });
const gone = (destroyed: unknown): Reply => ({
  status: 404,
  body: { data: { data: null, metadata: { version: 3, destroyed } } },
});
const status = (code: number, ...errors: string[]): Reply => ({ status: code, body: { errors } });

interface Place {
  readonly vault: Service;
  readonly tools: Tools;
}

function withVault(work: (place: Place) => Promise<void>): Promise<void> {
  return withServices(1, async (vault) => {
    const { context } = makeContext({ VAULT_ADDR: vault.url, VAULT_TOKEN: "hvs.A" });
    const client = new VaultClient(context, () => assert.fail("no login by AWS"));
    // A source of Vault has nothing to do with AWS.
    const session = undefined as unknown as AwsSession;
    try {
      await work({ vault, tools: { context, session, vault: async () => client } });
    } finally {
      client.close();
      context.deadline.clear();
    }
  });
}

function shown(content: Content): unknown {
  assert.ok(content.kind === "variables");
  const { variables, detail, versionId, validator } = content;
  const values = Object.fromEntries([...variables].map(([name, value]) => [name, value.reveal()]));
  return { values, detail, versionId, validator };
}

describe("a secret of Vault", () => {
  for (const [what, replies, asked, detail, versionId] of [
    ["KV version 2", [mount("2"), secret({ A: "x" })], [SYS, V2], "KV v2", "3"],
    ["KV version 1", [mount("1"), old({ A: "x" })], [SYS, V1], "KV v1", undefined],
    ["KV without options", [mount(null), old({ A: "x" })], [SYS, V1], "KV v1", undefined],
    ["an old mount", [mount(null, "generic"), old({ A: "x" })], [SYS, V1], "KV v1", undefined],
    ["nothing is said of", [old([]), secret({ A: "x" })], [SYS, V2], "KV v2", "3"],
    ["nothing may be known of", [status(403), secret({ A: "x" })], [SYS, V2], "KV v2", "3"],
    ["nobody knows", [status(404), status(404), old({ A: "x" })], [SYS, V2, V1], "KV v1", undefined],
    ["nobody may know", [status(403), status(403), old({ A: "x" })], [SYS, V2, V1], "KV v1", undefined],
    ["looks like neither", [status(403), old({ A: 7 }), old({ A: "x" })], [SYS, V2, V1], "KV v1", undefined],
  ] as const) {
    test(`at a mount of ${what}`, () =>
      withVault(async ({ vault, tools }) => {
        vault.answers(...replies);
        const found = shown(await (await parseSource("vault://kv/app")).read(tools)) as Record<
          string,
          unknown
        >;
        assert.deepEqual(
          [found["values"], found["detail"], found["versionId"]],
          [{ A: "x" }, detail, versionId],
        );
        assert.deepEqual(vault.lines, asked);
      }));
  }

  test("of a version: it is asked for, in version 2 alone", () =>
    withVault(async ({ vault, tools }) => {
      const { read, look } = await parseSource("vault://kv/app?version=2");
      assert.equal(look, undefined);
      vault.answers(mount("2"), secret({ A: "x" }, 2));
      await read(tools);
      assert.deepEqual(vault.lines, [SYS, `${V2}?version=2`]);
      vault.answers(mount("1"));
      const message = "no version 2: kv is of KV version 1, which keeps none";
      await assert.rejects(read(tools), { kind: "missing", message, hint: /leave version out/ });
      // If it is not known which it is, version 1 is not tried: it could not have it.
      vault.answers(status(403), status(404));
      await assert.rejects(read(tools), {
        kind: "missing",
        message: /^no version 2 of a secret at this path/,
      });
      assert.deepEqual(vault.lines, [SYS, `${V2}?version=2`]);
    }));

  test("gives all its keys, those of nested objects if they are joined, or one under a name", () =>
    withVault(async ({ vault, tools }) => {
      const data = { A: "x", N: 1.5, T: true, db: { host: "h" } };
      for (const [uri, values] of [
        ["vault://kv/app?flatten=_", { A: "x", N: "1.5", T: "true", db_host: "h" }],
        ["vault://kv/app#A", { A: "x" }],
        ["vault://kv/app?as=B#N", { B: "1.5" }],
      ] as const) {
        vault.answers(mount("2"), secret(data));
        const found = shown(await (await parseSource(uri)).read(tools)) as Record<string, unknown>;
        assert.deepEqual(found["values"], values);
      }
      for (const [uri, kind, message] of [
        ["vault://kv/app", "data", /^db is a nested value/],
        ["vault://kv/app#db", "data", /^db is a nested value/],
        ["vault://kv/app#NONE", "missing", /^the secret has no key NONE$/],
        ["vault://kv/app#toString", "missing", /^the secret has no key toString$/],
      ] as const) {
        vault.answers(mount("2"), secret(data));
        await assert.rejects((await parseSource(uri)).read(tools), { kind, message });
      }
    }));

  test("has the version that Vault names, if it is a number", () =>
    withVault(async ({ vault, tools }) => {
      for (const [version, expected] of [
        [1, "1"],
        [999_999_999, "999999999"],
        [1_000_000_000, "unknown"],
        [1.5, "unknown"],
        ["3", "unknown"],
        [null, "unknown"],
      ] as const) {
        vault.answers(mount("2"), secret({}, version));
        const { versionId } = shown(await (await parseSource("vault://kv/app")).read(tools)) as Record<
          string,
          unknown
        >;
        assert.equal(versionId, expected);
      }
    }));

  const LOST = { kind: "missing", message: "no such secret (GET kv/data/app: 404)" };
  for (const [what, replies, failure, requests] of [
    ["is not there", [mount("2"), status(404)], { ...LOST, hint: /^check mount, path/ }, 2],
    [
      "is not there, in version 1",
      [mount("1"), status(404)],
      { message: /^no such secret \(GET kv\/app: 404/ },
      2,
    ],
    [
      "was deleted",
      [mount("2"), gone(false)],
      { message: /^this version was deleted \(GET/, hint: /undelete/ },
      2,
    ],
    [
      "was destroyed",
      [mount("2"), gone(true)],
      { message: /^this version was destroyed/, hint: /had back/ },
      2,
    ],
    [
      "was deleted, in who knows what",
      [status(403), gone(false)],
      { message: /^this version was deleted/ },
      2,
    ],
    ["is there in neither", [status(403), status(404), status(404)], { message: /\(GET kv\/app: 404\)$/ }, 3],
    [
      "may be read in neither",
      [status(403), status(403), status(403)],
      { kind: "denied", message: "permission denied (GET kv/data/app: 403)" },
      3,
    ],
    [
      "may not be read in version 2 and is not there in 1",
      [status(403), status(403), status(404)],
      { kind: "denied", message: "permission denied (GET kv/data/app: 403)" },
      3,
    ],
    [
      "is not there in version 2 and may not be read in 1",
      [status(403), status(404), status(403)],
      { kind: "denied", message: "permission denied (GET kv/app: 403)" },
      3,
    ],
    [
      "is at no mount",
      [mount("2"), status(404, "no handler for route")],
      { message: /^nothing is mounted/ },
      2,
    ],
    [
      "is at no mount, in version 1",
      [mount("1"), status(404, "unsupported path")],
      { message: /^nothing is/ },
      2,
    ],
    ["is not taken by version 2", [status(403), status(400)], { kind: "config" }, 2],
    [
      "has no data",
      [mount("2"), old({ metadata: {} })],
      { message: /^what is there is not a secret of a KV/ },
      2,
    ],
    [
      "has no metadata",
      [mount("2"), old({ data: {} })],
      { message: /^what is there is not a secret of a KV/ },
      2,
    ],
    ["is nothing", [mount("2"), {}], { message: /^what is there is not a secret of a KV/ }, 2],
    ["is nothing, in version 1", [mount("1"), {}], { kind: "missing", message: /^what is there is not/ }, 2],
    [
      "is of another engine",
      [mount(null, "aws")],
      { kind: "config", message: "kv is an engine of type aws, not a KV engine" },
      1,
    ],
    [
      "is of an engine that is no word",
      [mount("2", "canary canary")],
      { kind: "config", message: "kv is something else, not a KV engine" },
      1,
    ],
    ["is asked of whom nobody understands", [status(400)], { kind: "config", message: /\(GET sys\// }, 1],
    [
      "is asked for with a token that is none",
      [
        status(403, "permission denied", "invalid token"),
        status(403, "invalid token"),
        status(403, "invalid token"),
      ],
      { kind: "denied", code: "token-refused", message: /\(GET kv\/data\/app: 403\)$/ },
      3,
    ],
  ] as const) {
    test(`that ${what}`, () =>
      withVault(async ({ vault, tools }) => {
        vault.answers(...(replies as readonly Reply[]));
        await assert.rejects((await parseSource("vault://kv/app")).read(tools), failure);
        assert.equal(vault.asked.length, requests);
      }));
  }

  test("that is not there at data/: the hint says that it is left out", () =>
    withVault(async ({ vault, tools }) => {
      vault.answers(mount("2"), status(404));
      const hint = /^leave data\/ out of the path/;
      await assert.rejects((await parseSource("vault://kv/data/app")).read(tools), { kind: "missing", hint });
    }));

  test("without a token is not asked for twice: that it is missing has a place of its own", () =>
    withServices(1, async (vault) => {
      vault.answers(status(403));
      const login = { VAULT_AUTH: "approle", VAULT_ROLE_ID: "r", VAULT_SECRET_ID: "s" };
      const { context } = makeContext({ VAULT_ADDR: vault.url, ...login });
      const client = new VaultClient(context, () => assert.fail("no login by AWS"));
      const tools = { context, session: undefined as unknown as AwsSession, vault: async () => client };
      try {
        await assert.rejects((await parseSource("vault://kv/app")).read(tools), {
          message: "credentials: Vault: the login was refused (POST auth/approle/login: 403)",
        });
        assert.equal(vault.asked.length, 1);
      } finally {
        client.close();
        context.deadline.clear();
      }
    }));
});

describe("a look at a secret of Vault", () => {
  test("is one request, by the version that the mount turned out to be of; a read asks anew", () =>
    withVault(async ({ vault, tools }) => {
      for (const [version, answer, other, line] of [
        ["2", secret({ A: "x" }), secret({ A: "x" }, 4), V2],
        ["1", old({ A: "x" }), old({ A: "y" }), V1],
      ] as const) {
        const source = await parseSource("vault://kv/app");
        const look = source.look ?? assert.fail("no look");
        vault.answers(mount(version), answer, answer, other, mount(version), answer);
        const { validator = "" } = await source.read(tools);
        assert.equal(await look(validator, tools), undefined);
        const now = (await look(validator, tools)) ?? assert.fail("no change");
        assert.notEqual(now, validator);
        await source.read(tools);
        assert.deepEqual(vault.lines, [SYS, line, line, line, SYS, line]);
        for (const failing of [500, 429]) {
          vault.answers(status(failing), answer);
          await assert.rejects(look(validator, tools));
          assert.equal(vault.asked.length, 1);
        }
      }
    }));

  test("before any read finds out what the mount is", () =>
    withVault(async ({ vault, tools }) => {
      const look = (await parseSource("vault://kv/app")).look ?? assert.fail("no look");
      vault.answers(mount("2"), secret({ A: "x" }));
      assert.equal(await look("3 2026-01-02", tools), undefined);
      assert.deepEqual(vault.lines, [SYS, V2]);
    }));

  test("sees a secret that begins with version 1 again", () =>
    withVault(async ({ vault, tools }) => {
      const source = await parseSource("vault://kv/app");
      vault.answers(mount("2"), secret({}, 1), secret({}, 1, "2026-01-03"));
      const { validator = "" } = await source.read(tools);
      assert.equal(await source.look?.(validator, tools), "1 2026-01-03");
    }));
});

test("a source of Vault needs nothing of AWS, and gives variables", async () => {
  const { uri, gives, aws } = await parseSource("vault://team%2Fkv/app?as=B#A");
  assert.deepEqual([uri, gives, aws], ["vault://team%2Fkv/app?as=B#A", "variables", undefined]);
});
