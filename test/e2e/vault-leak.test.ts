/**
 * Nothing leaks on the way to Vault: canaries in a value, the token, the secret id, the service account's JWT and the
 * AWS keys that Vault makes. Each stage is made to fail at the highest verbosity, answers that repeat the canaries
 * among it; then what came out is searched.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ARTEFACTS, BUCKET, KEY, push, sealexec } from "./harness.ts";
import type { Artefact, Outcome } from "./harness.ts";
import { findCanaries } from "./leak/canaries.ts";
import type { Canary } from "./leak/canaries.ts";
import { TALKATIVE, VALUE, filesIn } from "./leak/scene.ts";
import { withPlace } from "./vault-place.ts";
import type { Place } from "./vault-place.ts";

const JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLW9mLWNhbmFyeQ";
const MATERIAL = "material";

interface Scene extends Place {
  readonly secretId: string;
  readonly logins: Readonly<Record<"token" | "approle" | "kubernetes", Record<string, string>>>;
}

function withScene(work: (scene: Scene) => Promise<void>): Promise<void> {
  return withPlace(async (place) => {
    const { aws, vault, folder } = place;
    vault.kv2.put("app", { FIRST: VALUE, SECOND: 2 });
    vault.kv1.put("app", { FIRST: VALUE });
    vault.awsEngine.addRole("app");
    await push(aws, "app.env", `THIRD='${VALUE}'\n`);
    const role = vault.approle.addRole();
    const secretId = vault.approle.addSecretId(role);
    vault.kubernetes.addRole("app", [JWT]);
    const write = async (name: string, text: string): Promise<string> => {
      const file = join(folder, `${MATERIAL}-${name}`);
      await writeFile(file, text);
      return file;
    };
    const logins = {
      token: { VAULT_TOKEN_FILE: await write("token", vault.tokens.issue().text) },
      approle: {
        VAULT_AUTH: "approle",
        VAULT_ROLE_ID: role,
        VAULT_SECRET_ID_FILE: await write("secret-id", secretId),
      },
      kubernetes: {
        VAULT_AUTH: "kubernetes",
        VAULT_ROLE: "app",
        VAULT_K8S_TOKEN_FILE: await write("jwt", JWT),
      },
    };
    await work({ ...place, secretId, logins });
  });
}

function canariesOf({ vault, secretId }: Scene): Canary[] {
  const keys = vault.awsEngine.issued.flatMap(({ secretAccessKey, sessionToken = "" }) => [
    { name: "secret access key", bytes: Buffer.from(secretAccessKey) },
    { name: "session token", bytes: Buffer.from(sessionToken) },
  ]);
  const tokens = vault.tokens.issued.map(({ text }) => ({ name: "token", bytes: Buffer.from(text) }));
  return [
    { name: "value", bytes: Buffer.from(VALUE) },
    { name: "secret id", bytes: Buffer.from(secretId) },
    { name: "jwt", bytes: Buffer.from(JWT) },
    ...tokens,
    ...keys,
  ].filter(({ bytes }) => bytes.length > 0);
}

function search(outcome: Outcome, scene: Scene): string[] {
  const files = [...filesIn(scene.folder)].filter(([name]) => !name.startsWith(MATERIAL));
  const all: [string, Buffer][] = [
    ["stdout", Buffer.from(outcome.stdout)],
    ["stderr", Buffer.from(outcome.stderr)],
    ...files,
  ];
  return all.flatMap(([name, bytes]) =>
    findCanaries(bytes, canariesOf(scene)).map((found) => `${name}: ${found}`),
  );
}

interface Stage {
  readonly name: string;
  readonly login?: keyof Scene["logins"];
  readonly status: number;
  readonly uri?: string;
  readonly credentials?: string;
  readonly given?: (scene: Scene) => unknown;
  readonly flags?: readonly string[];
}

const SHORT = ["--timeout", "1.5"];
const S3 = `s3://${BUCKET}/app.env`;
/** Every canary in Vault's own words. */
const echo = (scene: Scene): string[] => canariesOf(scene).map(({ bytes }) => bytes.toString("utf8"));

const STAGES: readonly Stage[] = [
  ...[400, 403, 404, 429, 500, 503].map((status): Stage => ({
    name: `read: ${status} with the canaries`,
    status: { 400: 78, 403: 77, 404: 66, 429: 75 }[status] ?? 69,
    // What is not tried again needs no short deadline.
    flags: status === 429 || status >= 500 ? SHORT : [],
    given: (scene) => scene.vault.faults.add({ action: "status", status, errors: echo(scene) }),
  })),
  ...(["approle", "kubernetes"] as const).map((login): Stage => ({
    name: `login by ${login}: refused with the canaries`,
    login,
    status: 77,
    given: (scene) =>
      scene.vault.faults.add({ action: "status", status: 400, errors: echo(scene), path: /^auth/ }),
  })),
  {
    name: "login: an answer without a token",
    login: "approle",
    status: 77,
    given: (scene) =>
      scene.vault.faults.add({
        action: "body",
        body: JSON.stringify({ auth: { x: echo(scene) } }),
        path: /^auth/,
      }),
  },
  {
    name: "login: a token that cannot be one",
    login: "kubernetes",
    status: 78,
    given: (scene) =>
      scene.vault.faults.add({
        action: "body",
        body: JSON.stringify({ auth: { client_token: `${JWT} ${VALUE}\n` } }),
        path: /^auth/,
      }),
  },
  {
    name: "read: no JSON, the canaries in it",
    status: 69,
    flags: SHORT,
    given: (scene) => scene.vault.faults.add({ action: "body", body: `{"data": ${echo(scene).join()}` }),
  },
  {
    name: "read: cut",
    status: 69,
    flags: SHORT,
    given: ({ vault }) => vault.faults.add({ action: "cut", path: /^secret/ }),
  },
  {
    name: "read: silence",
    status: 75,
    flags: SHORT,
    given: ({ vault }) => vault.faults.add({ action: "hang" }),
  },
  {
    name: "read: a redirect with the canaries",
    status: 78,
    given: (scene) =>
      scene.vault.faults.add({ action: "redirect", location: encodeURI(`/${echo(scene).join()}`) }),
  },
  {
    name: "variables: a nested value",
    status: 65,
    given: ({ vault }) => vault.kv2.put("app", { FIRST: [VALUE] }),
  },
  {
    name: "variables: a name that is refused",
    status: 65,
    given: ({ vault }) => vault.kv2.put("app", { LD_PRELOAD: VALUE }),
  },
  {
    name: "variables: a NUL in a value",
    status: 65,
    given: ({ vault }) => vault.kv2.put("app", { FIRST: `${VALUE}\u0000` }),
  },
  { name: "variables: another key", status: 66, uri: "vault://secret/app#NONE" },
  { name: "required: not there", status: 65, flags: ["--require", "NONE"] },
  {
    name: "credentials: half of them",
    status: 78,
    uri: S3,
    credentials: "vault:aws/sts/app",
    given: (scene) =>
      scene.vault.faults.add({
        action: "body",
        body: JSON.stringify({ data: { access_key: VALUE, more: echo(scene) } }),
      }),
  },
  {
    name: "credentials: refused by S3",
    status: 77,
    uri: S3,
    credentials: "vault:aws/sts/app",
    given: ({ aws }) => aws.s3.deny("GetObject"),
  },
  {
    name: "credentials: never known to AWS",
    status: 77,
    uri: S3,
    credentials: "vault:aws/creds/app",
    // An answer of STS must come in this time.
    flags: ["--timeout", "4"],
    given: ({ vault }) => {
      vault.awsEngine.propagationMs = 60_000;
    },
  },
];

/** NODE_DEBUG is refused by the npm package before there is any request. */
function talkative(artefact: Artefact): Record<string, string> {
  const { NODE_DEBUG, ...others } = TALKATIVE;
  return artefact.name === "binary" ? { NODE_DEBUG, ...others } : others;
}

function envOf({ aws, vault, folder, logins }: Scene, login: keyof Scene["logins"]): Record<string, string> {
  return { ...aws.env(), ...vault.env(), ...logins[login], HOME: folder, TMPDIR: folder };
}

for (const artefact of ARTEFACTS) {
  describe(`vault: nothing leaks from the ${artefact.name}`, { concurrency: 3 }, () => {
    for (const stage of STAGES) {
      const { name, login = "token", status, uri = "vault://secret/app", credentials, flags = [] } = stage;
      for (const log of ["text", "json"]) {
        test(`${log}, ${name}`, () =>
          withScene(async (scene) => {
            await stage.given?.(scene);
            const chosen = credentials === undefined ? [] : ["--credentials", credentials];
            const args = ["run", "-f", uri, ...chosen, ...flags, "-v", "--log", log, "--", "echo", "ran"];
            const env = { ...talkative(artefact), ...envOf(scene, login) };
            const outcome = await sealexec(args, { env, artefact, cwd: scene.folder });
            assert.equal(outcome.status, status, outcome.stderr);
            assert.equal(outcome.stdout, "");
            assert.deepEqual(search(outcome, scene), []);
          }));
      }
    }

    for (const login of ["token", "approle", "kubernetes"] as const) {
      test(`a run that goes well, by ${login}: CMD finds the values, and nothing else of Vault's`, () =>
        withScene(async (scene) => {
          const from = [
            "-f",
            "vault://secret/app",
            "-f",
            S3,
            "--credentials",
            "vault:aws/creds/app",
            "--key",
            KEY,
          ];
          const args = ["run", ...from, "-v", "--", "cat", "/proc/self/environ"];
          const env = envOf(scene, login);
          const { status, stdout, stderr } = await sealexec(args, { env, artefact, cwd: scene.folder });
          assert.equal(status, 0, stderr);
          const variables = stdout.split("\0").filter((line) => line !== "");
          const given = Object.entries(env).map(([name, value]) => `${name}=${value}`);
          const added = variables.filter((line) => !given.includes(line) && !line.startsWith("PATH="));
          assert.deepEqual(added.sort(), [`FIRST=${VALUE}`, "SECOND=2", `THIRD=${VALUE}`]);
          const others = canariesOf(scene).filter(({ name }) => name !== "value");
          assert.ok(others.length >= 4);
          assert.deepEqual(findCanaries(Buffer.from(stdout), others), []);
          assert.deepEqual(search({ status, signal: null, stdout: "", stderr }, scene), []);
        }));
    }
  });
}
