/** One run that merges sealed objects, a managed secret, parameters, Vault, a mounted folder and a sealed local file. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ARTEFACTS, KEY, ROOT, push, runProcess, sealexec } from "./harness.ts";
import { assertFailed } from "./expect.ts";
import { seedSecretsManager, seedSsm } from "./stores/seed.ts";
import { withPlace } from "./vault-place.ts";
import type { Place } from "./vault-place.ts";

async function fill({ aws, vault, folder }: Place): Promise<string[]> {
  const sealed = await push(aws, "base.env", "ONE=s3\nTWO=s3\nTHREE=s3\nFOUR=s3\nFIVE=s3\nSIX=s3\n");
  const secret = seedSecretsManager(aws, "prod", {
    TWO: "sm",
    THREE: "sm",
    FOUR: "sm",
    FIVE: "sm",
    SIX: "sm",
  });
  const parameters = seedSsm(aws, "/prod/", { THREE: "ssm", FOUR: "ssm", FIVE: "ssm", SIX: "ssm" });
  vault.kv2.put("prod", { FOUR: "vault", FIVE: "vault", SIX: "vault" });
  const mounted = join(folder, "secrets");
  await mkdir(mounted);
  for (const name of ["FIVE", "SIX"]) await writeFile(join(mounted, name), "dir\n", { mode: 0o600 });
  const local = join(folder, "overrides.env.sealed");
  const options = { env: aws.env(), input: "SIX=file\n" };
  const pushed = await sealexec(["push", "-", `file:${local}`, "--key", KEY], options);
  assert.equal(pushed.status, 0, pushed.stderr);
  return [sealed, secret, parameters, "vault://secret/prod", `dir:${mounted}`, `file:${local}`];
}

const SHOW = ["sh", "-c", 'echo "$ONE $TWO $THREE $FOUR $FIVE $SIX"'] as const;

for (const artefact of ARTEFACTS) {
  test(`${artefact.name}: six sources in one run, each over the one before it`, () =>
    withPlace(async (place) => {
      const uris = await fill(place);
      place.aws.resetCalls();
      const env = { ...place.aws.env(), ...place.vault.tokenEnv(), HOME: place.folder };
      const args = [
        "run",
        ...uris.flatMap((uri) => ["--from", uri]),
        "--key",
        KEY,
        "--explain",
        "--",
        ...SHOW,
      ];
      const outcome = await sealexec(args, { env, artefact });
      assert.deepEqual([outcome.status, outcome.stdout], [0, "s3 sm ssm vault dir file\n"], outcome.stderr);
      const [s3 = "", sm = "", ssm = "", vault = "", dir = "", file = ""] = uris;
      const over = [dir, vault, ssm, sm].join(", ");
      assert.ok(
        outcome.stderr.includes(`explain: SIX: from ${file}, over ${over} and ${s3}\n`),
        outcome.stderr,
      );
      assert.ok(outcome.stderr.includes("explain: credentials: from instance metadata\n"), outcome.stderr);
      // One role for all of them.
      assert.equal(place.aws.count("imds", "GetCredentials"), 1);
      assert.deepEqual([place.aws.count("s3"), place.aws.count("kms")], [1, 2]);
    }));

  test(`${artefact.name}: with one of them missing, CMD does not start on the others`, () =>
    withPlace(async (place) => {
      const uris = await fill(place);
      const env = { ...place.aws.env(), ...place.vault.tokenEnv(), HOME: place.folder };
      for (const missing of [
        "dir:/nonexistent/secrets",
        "secretsmanager://nothing",
        "vault://secret/nothing",
      ]) {
        const args = [
          "run",
          ...[...uris, missing].flatMap((uri) => ["--from", uri]),
          "--key",
          KEY,
          "--",
          "echo",
          "ran",
        ];
        assertFailed(await sealexec(args, { env, artefact }), 66, /no such/);
      }
    }));
}

test("examples/several-sources.sh: S3, Secrets Manager, a mounted folder and a sealed file", () =>
  withPlace(async ({ aws, folder }) => {
    const sealed = await push(aws, "base.env", "DATABASE_URL=s3\nLOG=s3\n");
    const rotated = seedSecretsManager(aws, "prod", { DATABASE_URL: "sm", TOKEN: "sm" });
    const mounted = join(folder, "secrets");
    await mkdir(mounted);
    await writeFile(join(mounted, "CERTIFICATE"), "dir\n", { mode: 0o600 });
    const file = `file:${join(folder, "overrides")}`;
    const env = {
      ...aws.env(),
      SHARED: sealed,
      ROTATED: rotated,
      MOUNTED: `dir:${mounted}`,
      OVERRIDES: file,
      KEY,
    };
    const pushed = await sealexec(["push", "-", file, "--key", KEY], { env, input: "LOG=file\n" });
    assert.equal(pushed.status, 0, pushed.stderr);
    const script = join(ROOT, "examples/several-sources.sh");
    const outcome = await runProcess([script, "sh", "-c", 'echo "$DATABASE_URL $TOKEN $CERTIFICATE $LOG"'], {
      env: { ...env, PATH: `${join(ROOT, "dist")}:/usr/bin:/bin` },
    });
    assert.deepEqual([outcome.status, outcome.stdout], [0, "sm sm dir file\n"], outcome.stderr);
  }));
