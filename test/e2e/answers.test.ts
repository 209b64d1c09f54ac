/** Which answers of a service count as answers: 200 without a range, and no other of the statuses that say "well". */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Rule } from "../aws/faults.ts";
import type { Aws } from "../aws/server.ts";
import { RAN, SAY, assertFailed, assertPrinted, withFolder } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, push, sealexec, withAws } from "./harness.ts";
import { withPlace } from "./vault-place.ts";

const OTHERS = [201, 202, 203, 206, 299] as const;
const NOT_ITS_OWN = /the answer is not the service's/;

/** A shared file makes the SDK's clients the way to every service. */
const WAYS = [
  { name: "directly", timeout: "1", env: (aws: Aws) => aws.env() },
  // Its code is loaded within that time, on a busy machine, too.
  { name: "by the SDK", timeout: "3", env: (aws: Aws) => ({ ...aws.env(), AWS_CONFIG_FILE: "/dev/null" }) },
];

async function struck(aws: Aws, rule: Rule, work: () => Promise<void>): Promise<void> {
  const fault = aws.faults.add(rule);
  await work();
  assert.ok(fault.hits > 0, "the answer was never asked for");
  await fault.remove();
}

describe("an answer that is not 200 opens nothing", { concurrency: 2 }, () => {
  for (const artefact of ARTEFACTS) {
    for (const { name, timeout, env } of WAYS) {
      test(`S3 and KMS asked ${name}, by the ${artefact.name}`, () =>
        withAws(async (aws) => {
          const uri = await push(aws, "app.env", "TOKEN=t\n");
          const args = ["run", "--timeout", timeout, "--from", uri, "--", ...SAY];
          const all = artefact.name === "binary" && name === "directly";
          for (const status of all ? OTHERS : [206]) {
            for (const service of ["s3", "kms"] as const) {
              await struck(aws, { service, action: "answerAs", status }, async () =>
                assertFailed(await sealexec(args, { env: env(aws), artefact }), 69, NOT_ITS_OWN),
              );
            }
          }
        }));
    }
  }

  for (const { name, timeout, env } of WAYS) {
    test(`nor one of 200 with a range that nobody asked for, asked ${name}`, () =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "TOKEN=t\n");
        const args = ["run", "--timeout", timeout, "--from", uri, "--", ...SAY];
        for (const service of ["s3", "kms"] as const) {
          const rule = { service, action: "header", name: "content-range", value: "bytes 0-99/100" } as const;
          await struck(aws, rule, async () =>
            assertFailed(await sealexec(args, { env: env(aws) }), 69, NOT_ITS_OWN),
          );
        }
      }));
  }

  test("a push takes no other either: for its look and its data key", () =>
    withAws(async (aws) => {
      const uri = `s3://${BUCKET}/app.env`;
      await push(aws, "app.env", "TOKEN=t\n");
      for (const [service, operation] of [
        ["s3", "GetObject"],
        ["kms", "GenerateDataKey"],
      ] as const) {
        await struck(aws, { service, operation, action: "answerAs", status: 203 }, async () => {
          const args = ["push", "-", uri, "--key", KEY, "--replace", "--timeout", "1"];
          const outcome = await sealexec(args, { env: aws.env(), input: "TOKEN=u\n" });
          assertFailed(outcome, 69, NOT_ITS_OWN);
        });
      }
    }));

  test("STS, that would give credentials for a web identity", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "TOKEN=t\n");
        aws.sts.addWebToken("token-of-the-pod");
        const token = join(folder, "token");
        writeFileSync(token, "token-of-the-pod");
        const env = {
          ...aws.serviceEnv(),
          AWS_WEB_IDENTITY_TOKEN_FILE: token,
          AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/pod",
        };
        const args = ["run", "--timeout", "1", "--from", uri, "--", ...SAY];
        assertPrinted(await sealexec(args, { env }), `${RAN}\n`);
        await struck(aws, { service: "sts", action: "answerAs", status: 206 }, async () =>
          assertFailed(await sealexec(args, { env }), 69, NOT_ITS_OWN),
        );
      }),
    ));

  test("STS, that would give credentials for the role of a profile", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "TOKEN=t\n");
        const [accessKeyId, secretAccessKey] = ["AKIAOFAPROFILE", "secret"];
        aws.identities.addAccessKey({ accessKeyId, secretAccessKey });
        const file = join(folder, "config");
        const role = "role_arn = arn:aws:iam::111122223333:role/target\nsource_profile = base\n";
        const keys = `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
        writeFileSync(file, `[profile app]\n${role}[profile base]\n${keys}`);
        const env = { ...aws.serviceEnv(), AWS_CONFIG_FILE: file, AWS_PROFILE: "app" };
        const args = ["run", "--timeout", "3", "--from", uri, "--", ...SAY];
        assertPrinted(await sealexec(args, { env }), `${RAN}\n`);
        await struck(aws, { service: "sts", action: "answerAs", status: 203 }, async () =>
          assertFailed(await sealexec(args, { env }), 69, NOT_ITS_OWN),
        );
      }),
    ));

  test("Vault", () =>
    withPlace(async ({ aws, vault, folder }) => {
      vault.kv2.put("app", { A: "1" });
      const env = { ...vault.tokenEnv(), HOME: folder, AWS_ENDPOINT_URL: aws.endpoints.all };
      const answer = '{"data": {"data": {"A": "1"}, "metadata": {"version": 1}}}';
      for (const status of OTHERS) {
        vault.faults.clear();
        vault.faults.add({ action: "body", status, body: answer, path: /^secret\/data/ });
        const args = ["run", "--timeout", "1", "--from", "vault://secret/app", "--", ...SAY];
        assertFailed(await sealexec(args, { env }), 69, /the answer is not Vault's/);
      }
    }));
});
