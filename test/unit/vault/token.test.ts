/** Where the run's token comes from, and what a login sends for one. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { Environment } from "../../../src/base/env.ts";
import { SealexecError } from "../../../src/base/errors.ts";
import type { SendLogin, Token } from "../../../src/vault/call.ts";
import { scanObject } from "../../../src/vault/refusal.ts";
import { findToken } from "../../../src/vault/token.ts";
import { VaultClient } from "../../../src/vault/client.ts";
import { makeContext } from "../refuses.ts";
import { withServices } from "../service.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "sealexec-token-"));
after(() => rmSync(FOLDER, { recursive: true }));

function fileOf(name: string, text: string): string {
  const file = join(FOLDER, name);
  writeFileSync(file, text);
  return file;
}

const IDENTITY = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret", sessionToken: "session" };
const NOT_ASKED: SendLogin = () => assert.fail("Vault was asked");

const tokenOf = (env: Environment, send: SendLogin = NOT_ASKED): Promise<Token> =>
  findToken(send, env, () => assert.fail("AWS was asked"), 7_000);

describe("the token", () => {
  const home = join(FOLDER, "home");
  mkdirSync(home);
  writeFileSync(join(home, ".vault-token"), " hvs.HOME\n");
  const file = fileOf("token", "\thvs.FILE\r\n");
  const ALL = { VAULT_TOKEN: "hvs.TOKEN", VAULT_TOKEN_FILE: file, VAULT_AUTH: "approle", HOME: home };

  test("is that of the first that is named and not empty", async () => {
    assert.deepEqual(await tokenOf(ALL), { text: "hvs.TOKEN", from: "VAULT_TOKEN" });
    const ofFile = { text: "hvs.FILE", from: `VAULT_TOKEN_FILE (${file})` };
    assert.deepEqual(await tokenOf({ ...ALL, VAULT_TOKEN: "" }), ofFile);
    const login = { ...ALL, VAULT_TOKEN: "", VAULT_TOKEN_FILE: "" };
    await assert.rejects(tokenOf(login), { kind: "config", message: /^VAULT_SECRET_ID is missing/ });
    const ofHome = { text: "hvs.HOME", from: join(home, ".vault-token") };
    assert.deepEqual(await tokenOf({ ...login, VAULT_AUTH: "" }), ofHome);
    assert.deepEqual(await tokenOf({ HOME: home }), ofHome);
  });

  test("is in the home of the user where the environment names none", async () => {
    const before = process.env["HOME"];
    process.env["HOME"] = home;
    try {
      for (const env of [{}, { HOME: "" }]) assert.equal((await tokenOf(env)).text, "hvs.HOME");
    } finally {
      if (before === undefined) delete process.env["HOME"];
      else process.env["HOME"] = before;
    }
  });

  test("is one printable word of 8,192 characters at most", async () => {
    for (const text of ["!", "~", "x".repeat(8_192)])
      assert.equal((await tokenOf({ VAULT_TOKEN: text })).text, text);
    for (const text of [" ", "a b", "a\nb", "a\u007f", "ä", "x".repeat(8_193)]) {
      const config = { kind: "config", message: "VAULT_TOKEN: it is no token of Vault" };
      await assert.rejects(tokenOf({ VAULT_TOKEN: text }), config, text.slice(0, 9));
    }
    await assert.rejects(tokenOf({ VAULT_TOKEN_FILE: fileOf("empty", "\n") }), { kind: "config" });
    await assert.rejects(tokenOf({ VAULT_TOKEN_FILE: fileOf("two", "a\nb") }), { kind: "config" });
    const other = join(FOLDER, "other");
    mkdirSync(other);
    writeFileSync(join(other, ".vault-token"), "");
    await assert.rejects(tokenOf({ HOME: other }), { kind: "config", message: /\.vault-token: it is no/ });
  });

  test("that nobody gave is denied, and one that cannot be read is a mistake", async () => {
    for (const HOME of [FOLDER, join(FOLDER, "none"), file]) {
      const denied = { kind: "denied", message: "no token for Vault", hint: /VAULT_AUTH to aws, kubernetes/ };
      await assert.rejects(tokenOf({ HOME }), denied);
    }
    const folder = join(FOLDER, "folder");
    mkdirSync(join(folder, ".vault-token"), { recursive: true });
    await assert.rejects(tokenOf({ HOME: folder }), {
      kind: "config",
      message: `the token file: ${folder}/.vault-token cannot be read (EISDIR)`,
    });
    for (const [name, why] of [
      ["none", "ENOENT"],
      ["folder", "EISDIR"],
    ] as const) {
      const VAULT_TOKEN_FILE = join(FOLDER, name);
      await assert.rejects(tokenOf({ VAULT_TOKEN_FILE }), {
        kind: "config",
        message: `VAULT_TOKEN_FILE: ${VAULT_TOKEN_FILE} cannot be read (${why})`,
      });
    }
  });
});

interface Sent {
  readonly path: string;
  readonly body: Readonly<Record<string, string>>;
  readonly token: Token;
}

const answerOf = (auth: unknown): object => ({ body: { auth } });
const GOOD = { client_token: "hvs.B", lease_duration: 90 };

/** Logs in to a Vault that answers so. */
function logIn(env: Environment, reply: object = answerOf(GOOD)): Promise<Sent> {
  return withServices(1, async (vault) => {
    vault.answers(reply);
    const { context } = makeContext({ VAULT_ADDR: vault.url, ...env });
    const client = new VaultClient(context, async () => IDENTITY);
    try {
      const token = await findToken(
        (call) => client.login(call),
        env,
        async () => IDENTITY,
        7_000,
      );
      const [{ path = "", body = "" } = {}] = vault.asked;
      return { path, body: JSON.parse(body) as Sent["body"], token };
    } finally {
      client.close();
      context.deadline.clear();
    }
  });
}

const APPROLE = { VAULT_AUTH: "approle", VAULT_ROLE_ID: "role", VAULT_SECRET_ID: "secret" };
const KUBERNETES = {
  VAULT_AUTH: "kubernetes",
  VAULT_ROLE: "app",
  VAULT_K8S_TOKEN_FILE: fileOf("jwt", "jwt\n"),
};
const AWS = { VAULT_AUTH: "aws", VAULT_ROLE: "app" };

describe("a login", () => {
  test("by approle: the role and the secret id, of its file where one is named", async () => {
    const { path, body, token } = await logIn(APPROLE);
    assert.equal(path, "/v1/auth/approle/login");
    assert.deepEqual(body, { role_id: "role", secret_id: "secret" });
    const lease = { since: 7_000, ms: 90_000 };
    assert.deepEqual(token, { text: "hvs.B", from: "login by approle", lease });
    const VAULT_SECRET_ID_FILE = fileOf("secret-id", "of the file\n");
    assert.equal((await logIn({ ...APPROLE, VAULT_SECRET_ID_FILE })).body["secret_id"], "of the file");
    assert.equal((await logIn({ ...APPROLE, VAULT_SECRET_ID_FILE: "" })).body["secret_id"], "secret");
  });

  test("by kubernetes: the role and the service account's token", async () => {
    const { path, body, token } = await logIn(KUBERNETES);
    assert.equal(path, "/v1/auth/kubernetes/login");
    assert.deepEqual(body, { role: "app", jwt: "jwt" });
    assert.equal(token.from, "login by kubernetes");
  });

  for (const [what, more, host, region] of [
    ["the global STS, of us-east-1", {}, "sts.amazonaws.com", "us-east-1"],
    ["a region's", { VAULT_AWS_STS_REGION: "eu-west-1" }, "sts.eu-west-1.amazonaws.com", "eu-west-1"],
    ["China's", { VAULT_AWS_STS_REGION: "cn-north-1" }, "sts.cn-north-1.amazonaws.com.cn", "cn-north-1"],
  ] as const) {
    test(`by aws: a signed GetCallerIdentity for ${what}`, async () => {
      const { path, body } = await logIn({ ...AWS, ...more, VAULT_AWS_IAM_SERVER_ID: "vault.example.com" });
      assert.equal(path, "/v1/auth/aws/login");
      const decoded = (name: string): string => Buffer.from(body[name] ?? "", "base64").toString("utf8");
      assert.deepEqual([body["role"], body["iam_http_request_method"]], ["app", "POST"]);
      assert.equal(decoded("iam_request_url"), `https://${host}/`);
      assert.equal(decoded("iam_request_body"), "Action=GetCallerIdentity&Version=2011-06-15");
      const headers = JSON.parse(decoded("iam_request_headers")) as Record<string, string>;
      const signed = lowerCase(headers);
      const { authorization = "", "x-amz-date": date = "" } = signed;
      assert.match(date, /^\d{8}T\d{6}Z$/);
      assert.ok(
        authorization.includes(`Credential=${IDENTITY.accessKeyId}/${date.slice(0, 8)}/${region}/sts/`),
      );
      assert.match(authorization, /SignedHeaders=[^,]*\bhost;[^,]*;x-vault-aws-iam-server-id,/);
      assert.equal(signed["content-type"], "application/x-www-form-urlencoded; charset=utf-8");
      assert.equal(signed["x-amz-security-token"], "session");
      assert.equal(signed["x-vault-aws-iam-server-id"], "vault.example.com");
      // Vault sets it by the URL.
      assert.equal("host" in signed, false);
    });
  }

  test("by aws: no server id where none is named", async () => {
    for (const more of [{}, { VAULT_AWS_IAM_SERVER_ID: "" }]) {
      const { body } = await logIn({ ...AWS, ...more });
      const headers = Buffer.from(body["iam_request_headers"] ?? "", "base64").toString("utf8");
      assert.doesNotMatch(headers, /server-id/i);
    }
  });

  test("is at the mount that is named, or at that of its method", async () => {
    for (const [mount, path] of [
      ["", "approle"],
      ["team", "team"],
      ["/team/roles/", "team/roles"],
      ["//", "approle"],
      ["m".repeat(256), "m".repeat(256)],
    ] as const) {
      const { path: asked } = await logIn({ ...APPROLE, VAULT_AUTH_MOUNT: mount });
      assert.equal(asked, `/v1/auth/${path}/login`);
    }
    for (const VAULT_AUTH_MOUNT of ["a//b", "a/../b", ".", "a b", "ä", "m".repeat(257)]) {
      const config = { kind: "config", message: /^VAULT_AUTH_MOUNT is not/ };
      await assert.rejects(tokenOf({ ...APPROLE, VAULT_AUTH_MOUNT }), config, VAULT_AUTH_MOUNT);
    }
  });

  for (const [what, env, message, hint = /./] of [
    ["an unknown method", { VAULT_AUTH: "ldap" }, /^VAULT_AUTH names no method that is known$/],
    ["a method of every object", { VAULT_AUTH: "toString" }, /^VAULT_AUTH names no method that is known$/],
    [
      "approle without a role",
      { ...APPROLE, VAULT_ROLE_ID: "" },
      /^VAULT_ROLE_ID is missing$/,
      /role_id of VAULT_AUTH=approle/,
    ],
    [
      "approle without a secret",
      { ...APPROLE, VAULT_SECRET_ID: "" },
      /^VAULT_SECRET_ID is missing$/,
      /VAULT_SECRET_ID_FILE/,
    ],
    [
      "a secret id's file that is not there",
      { ...APPROLE, VAULT_SECRET_ID_FILE: "/none" },
      /^VAULT_SECRET_ID_FILE: \/none cannot be read \(ENOENT\)$/,
    ],
    [
      "kubernetes without a role",
      { ...KUBERNETES, VAULT_ROLE: "" },
      /^VAULT_ROLE is missing$/,
      /=kubernetes/,
    ],
    [
      "a service account's token that is not there",
      { ...KUBERNETES, VAULT_K8S_TOKEN_FILE: "/none" },
      /^VAULT_K8S_TOKEN_FILE: \/none cannot be read \(ENOENT\)$/,
    ],
    ["aws without a role", { VAULT_AUTH: "aws" }, /^VAULT_ROLE is missing$/, /VAULT_AUTH=aws/],
    ["no region", { ...AWS, VAULT_AWS_STS_REGION: "evil.example.com" }, /VAULT_AWS_STS_REGION/],
    ["no server id", { ...AWS, VAULT_AWS_IAM_SERVER_ID: "a b" }, /^VAULT_AWS_IAM_SERVER_ID cannot be sent/],
    ["a long server id", { ...AWS, VAULT_AWS_IAM_SERVER_ID: "x".repeat(1_025) }, /^VAULT_AWS_IAM_SERVER_ID/],
  ] as const) {
    test(`with ${what} is a mistake, and nothing is sent`, async () => {
      const find = findToken(NOT_ASKED, env, async () => IDENTITY, 0);
      await assert.rejects(find, { kind: "config", message, hint });
    });
  }

  test("that is refused has the way out of its method", async () => {
    for (const [env, hint] of [
      [APPROLE, /check VAULT_ROLE_ID, .*secret id has not expired/],
      [KUBERNETES, /check VAULT_ROLE, .*bound to this service account/],
      [AWS, /check VAULT_ROLE and its bound_iam_principal_arn/],
    ] as const) {
      for (const status of [400, 401, 403]) {
        const said = `the login was refused (POST auth/${env.VAULT_AUTH}/login: ${status})`;
        await assert.rejects(logIn(env, { status }), { kind: "denied", message: said, hint });
      }
    }
    await assert.rejects(logIn(APPROLE, { status: 404 }), { kind: "missing", message: /^not there/ });
  });

  test("that gives no token is denied", async () => {
    for (const auth of [undefined, null, {}, [], { client_token: "" }, { client_token: 7 }, { mfa: {} }])
      await assert.rejects(logIn(APPROLE, answerOf(auth)), {
        kind: "denied",
        message: "the login by approle gave no token",
      });
    await assert.rejects(logIn(APPROLE, answerOf({ client_token: "a b" })), {
      kind: "config",
      message: "login by approle: it is no token of Vault",
    });
  });

  test("is for as long as Vault says; what is no number of seconds has no end", async () => {
    for (const [duration, ms] of [
      ["1", 1_000],
      ["9999999999", 9_999_999_999_000],
      ["0", Infinity],
      ["-1", Infinity],
      ["1.5", Infinity],
      ["10000000000", Infinity],
      ['"60"', Infinity],
      ["null", Infinity],
      ["true", Infinity],
    ] as const) {
      const body = Buffer.from(`{"auth":{"client_token":"hvs.B","lease_duration":${duration}}}`);
      const token = await tokenOf(APPROLE, async () => scanObject(body) ?? assert.fail("no object"));
      assert.deepEqual(token.lease, { since: 7_000, ms }, duration);
    }
  });
});

test("what a login sends fails as the call does", async () => {
  const failure = new SealexecError("unavailable", "x");
  const send = (): never => {
    throw failure;
  };
  await assert.rejects(
    tokenOf(APPROLE, async () => send()),
    failure,
  );
});

function lowerCase(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
