/** Where AWS is asked: a region that nobody told, and the switches for FIPS and dual-stack endpoints. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { SAY, assertFailed, withFolder } from "./expect.ts";
import { ARTEFACTS, KEY, onPath, push, sealexec, withAws } from "./harness.ts";

const URI = "s3://app-secrets/app.env";
const KEYS = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };

describe("a region that is not told", { concurrency: 2 }, () => {
  for (const artefact of ARTEFACTS) {
    test(`is asked for, and none is guessed, by the ${artefact.name}`, () =>
      withAws(async (aws) => {
        await push(aws, "app.env", "TOKEN=t\n");
        aws.resetCalls();
        const { AWS_REGION: _, ...env } = aws.keyEnv();
        for (const from of [URI, "secretsmanager://app", "ssm:///app/"]) {
          const outcome = await sealexec(["run", "--from", from, "--", ...SAY], { env, artefact });
          assertFailed(outcome, 78, /^region: .*no region is known/, /set AWS_REGION, .*\?region=REGION/);
        }
        const args = ["push", "-", URI, "--key", KEY];
        assertFailed(await sealexec(args, { env, artefact, input: "A=1\n" }), 78, /no region is known/);
        assert.deepEqual(aws.calls, []);
      }));
  }

  for (const value of ["true", "True"]) {
    test(`nor is the metadata service asked where AWS_EC2_METADATA_DISABLED is ${value}`, () =>
      withAws(async (aws) => {
        const { AWS_REGION: _, ...services } = aws.env();
        const env = { ...services, ...KEYS, AWS_EC2_METADATA_DISABLED: value };
        const outcome = await sealexec(["run", "--from", URI, "--", ...SAY], { env });
        assertFailed(outcome, 78, /^region: .*no region is known/);
        assert.deepEqual(aws.calls, []);
      }));
  }

  test("nor for STS, where only Vault wants AWS credentials", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        const { AWS_REGION: _, ...env } = aws.keyEnv();
        const role = "role_arn = arn:aws:iam::111122223333:role/app\nsource_profile = base\n";
        const keys = `aws_access_key_id = ${env["AWS_ACCESS_KEY_ID"]}\naws_secret_access_key = ${env["AWS_SECRET_ACCESS_KEY"]}\n`;
        const file = join(folder, "config");
        writeFileSync(file, `[profile app]\n${role}[profile base]\n${keys}`);
        const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...rest } = env;
        const vault = { VAULT_ADDR: "http://127.0.0.1:1", VAULT_AUTH: "aws", VAULT_ROLE: "app" };
        const outcome = await sealexec(["run", "--from", "vault://secret/app", "--", ...SAY], {
          env: { ...rest, ...vault, AWS_CONFIG_FILE: file, AWS_PROFILE: "app" },
        });
        assertFailed(outcome, 78, /no region is known/, /set AWS_REGION/);
        assert.deepEqual(aws.calls, []);
      }),
    ));
});

/** A network of its own, with nothing in it: the message names the host that was wanted. */
const ALONE = ["unshare", "--net"];
const skip = (onPath("unshare") === undefined || process.getuid?.() !== 0) && "needs root and unshare";

describe("FIPS and dual-stack endpoints", { concurrency: 4, skip }, () => {
  const args = ["run", "--timeout", "4", "--from", URI, "--", ...SAY];
  const env = { ...KEYS, AWS_REGION: "us-east-1", AWS_EC2_METADATA_DISABLED: "TRUE" };

  for (const [given, host] of [
    [{}, /app-secrets\.s3\.us-east-1\.amazonaws\.com/],
    [{ AWS_USE_FIPS_ENDPOINT: "false" }, /app-secrets\.s3\.us-east-1\.amazonaws\.com/],
    [{ AWS_USE_FIPS_ENDPOINT: "true" }, /app-secrets\.s3-fips\.us-east-1\.amazonaws\.com/],
    [{ AWS_USE_FIPS_ENDPOINT: "True" }, /app-secrets\.s3-fips\.us-east-1\.amazonaws\.com/],
    [{ AWS_USE_DUALSTACK_ENDPOINT: "TRUE" }, /app-secrets\.s3\.dualstack\.us-east-1\.amazonaws\.com/],
  ] as const) {
    for (const artefact of ARTEFACTS) {
      test(`${JSON.stringify(given)}, by the ${artefact.name}`, async () => {
        const outcome = await sealexec(args, { env: { ...env, ...given }, artefact, prefix: ALONE });
        assertFailed(outcome, 69, host);
      });
    }
  }

  test("a profile's own, in any case of letters", () =>
    withFolder(async (folder) => {
      const file = join(folder, "config");
      writeFileSync(file, "[default]\nuse_fips_endpoint = True\n");
      const options = { env: { ...env, AWS_CONFIG_FILE: file }, prefix: ALONE };
      assertFailed(await sealexec(args, options), 69, /s3-fips\.us-east-1\.amazonaws\.com/);
    }));

  for (const [given, host] of [
    [{ AWS_USE_FIPS_ENDPOINT: "true" }, /sts-fips\.us-east-1\.amazonaws\.com/],
    [{ AWS_USE_DUALSTACK_ENDPOINT: "true" }, /sts\.us-east-1\.api\.aws/],
  ] as const) {
    test(`${JSON.stringify(given)}: STS, too`, () =>
      withFolder(async (folder) => {
        const file = join(folder, "token");
        writeFileSync(file, "a.b.c");
        const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...rest } = env;
        const role = {
          AWS_WEB_IDENTITY_TOKEN_FILE: file,
          AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/app",
        };
        const outcome = await sealexec(args, { env: { ...rest, ...role, ...given }, prefix: ALONE });
        assertFailed(outcome, 69, new RegExp(`AssumeRoleWithWebIdentity: ${host.source}`));
      }));
  }

  for (const [url, status, error] of [
    ["https://s3.example.com", 69, /GetObject: app-secrets\.s3\.example\.com(:443)?: /],
    ["http://s3.example.com", 78, /s3\.example\.com: plain HTTP is refused outside this machine/],
  ] as const) {
    test(`a profile's endpoint_url, ${url}`, () =>
      withFolder(async (folder) => {
        const file = join(folder, "config");
        writeFileSync(file, `[default]\nendpoint_url = ${url}\n`);
        const options = { env: { ...env, AWS_CONFIG_FILE: file }, prefix: ALONE };
        assertFailed(await sealexec(args, options), status, error);
      }));
  }

  for (const name of [
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_EC2_METADATA_DISABLED",
  ]) {
    test(`${name}=1 is neither`, async () => {
      const { AWS_REGION: _, ...rest } = env;
      const options = { env: { ...rest, [name]: "1" }, prefix: ALONE };
      const regional = ["run", "--timeout", "4", "--from", `${URI}?region=us-east-1`, "--", ...SAY];
      // Metadata are asked only by who has no keys.
      const from = name === "AWS_EC2_METADATA_DISABLED" ? args : regional;
      assertFailed(
        await sealexec(from, options),
        78,
        new RegExp(`${name} is neither true nor false`),
        /set it/,
      );
    });
  }
});
