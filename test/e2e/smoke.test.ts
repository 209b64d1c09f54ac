import { copyFileSync, existsSync, readdirSync, rmSync, truncateSync } from "node:fs";
import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { ARTEFACTS, BUCKET, BUNDLE, KEY, push, sealexec, withAws } from "./harness.ts";
import type { Artefact } from "./harness.ts";

for (const artefact of ARTEFACTS) {
  test(`${artefact.name}: push, then run with the variables, by one GetObject and one Decrypt`, async () => {
    await withAws(async (aws) => {
      const uri = await push(aws, "app.env", "GREETING='hello world'\n");
      aws.resetCalls();
      const args = ["run", "--from", uri, "--key", KEY, "--", "sh", "-c", 'printf %s "$GREETING"; exit 7'];
      const outcome = await sealexec(args, { env: aws.env(), artefact });
      assert.deepEqual(outcome, { status: 7, signal: null, stdout: "hello world", stderr: "" });
      assert.equal(aws.count("s3"), 1);
      assert.equal(aws.count("kms"), 1);
      assert.equal(aws.count("imds", "GetWithoutToken"), 0);
    });
  });
}

test("a start from S3 with the instance's role loads the first file of the npm package alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sealexec-alone-"));
  try {
    const bundle = join(folder, "sealexec.cjs");
    await copyFile(BUNDLE, bundle);
    const artefact: Artefact = { name: "first file", command: [process.execPath, bundle] };
    await withAws(async (aws) => {
      const uri = await push(aws, "app.env", "GREETING=hello\n");
      const args = (from: string): string[] => [
        "run",
        "--from",
        from,
        "--key",
        KEY,
        "--",
        "printenv",
        "GREETING",
      ];
      const outcome = await sealexec(args(uri), { env: aws.env(), artefact });
      assert.deepEqual(outcome, { status: 0, signal: null, stdout: "hello\n", stderr: "" });
      // Its failures neither: what they say is what an operator has.
      const missing = await sealexec(args(`s3://${BUCKET}/nothing.env`), { env: aws.env(), artefact });
      assert.equal(missing.status, 66, missing.stderr);
      // And where the SDK is needed, it is missed: the file is alone.
      const env = { ...aws.env(), AWS_CONFIG_FILE: "/dev/null" };
      assert.notEqual((await sealexec(args(uri), { env, artefact })).status, 0);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

for (const artefact of ARTEFACTS) {
  test(`${artefact.name}: with a shared config file, which may name endpoints, S3 and KMS are asked by the SDK`, async () => {
    await withAws(async (aws) => {
      const uri = await push(aws, "app.env", "GREETING=hello\n");
      const env = { ...aws.env(), AWS_CONFIG_FILE: "/dev/null" };
      const args = ["run", "--from", uri, "--key", KEY, "--", "printenv", "GREETING"];
      aws.resetCalls();
      const outcome = await sealexec(args, { env, artefact });
      assert.deepEqual(outcome, { status: 0, signal: null, stdout: "hello\n", stderr: "" });
      const agents = aws.calls
        .filter(({ service }) => service !== "imds")
        .map(({ headers }) => headers.get("user-agent"));
      assert.equal(agents.length, 2);
      for (const agent of agents) assert.match(agent ?? "", /aws-sdk-js/);
    });
  });
}

for (const artefact of ARTEFACTS) {
  test(`${artefact.name}: SEALEXEC_TRACE tells when each moment was reached, and no value`, async () => {
    await withAws(async (aws) => {
      const uri = await push(aws, "app.env", "GREETING=canary-7f3a\n");
      const args = ["run", "--from", uri, "--key", KEY, "--", "true"];
      const env = { ...aws.env(), SEALEXEC_TRACE: "1" };
      const { status, stderr } = await sealexec(args, { env, artefact });
      assert.equal(status, 0, stderr);
      const lines = stderr.trimEnd().split("\n");
      const form = /^sealexec: trace: +(\d+\.\d\d) ms {2}\+ +(\d+\.\d\d) {2}([a-z, ]+) {2}\(\d+\.\d{3}\)$/;
      const moments = lines.map((line) => form.exec(line)?.slice(1) ?? assert.fail(line));
      const names = moments.map(([, , name]) => name);
      assert.equal(names[0], "first line");
      assert.equal(names.at(-1), "exec");
      for (const name of ["region", "credentials", "object", "key", "decrypt", "dotenv"])
        assert.ok(names.includes(name));
      const times = moments.map(([at]) => Number(at));
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
    });
  });
}

for (const artefact of ARTEFACTS) {
  test(`${artefact.name}: a warning of the runtime disturbs nothing`, async () => {
    await withAws(
      async (aws) => {
        const uri = await push(aws, "app.env", "GREETING=hello\n");
        const env = { ...aws.env(), NODE_TLS_REJECT_UNAUTHORIZED: "0" };
        const args = ["run", "--from", uri, "--key", KEY, "--", "printenv", "GREETING"];
        const outcome = await sealexec(args, { env, artefact });
        assert.equal(outcome.status, 0, outcome.stderr);
        assert.equal(outcome.stdout, "hello\n");
      },
      { tls: true },
    );
  });
}

describe("the npm package with a file of it damaged", { concurrency: 2 }, () => {
  for (const [what, damage] of [
    ["empty", (file: string) => truncateSync(file, 0)],
    ["cut", (file: string) => truncateSync(file, 1_000)],
    ["missing", (file: string) => rmSync(file)],
  ] as const) {
    for (const flags of [[], ["--unhandled-rejections=none"]]) {
      test(`${what}, ${flags.join(" ") || "as it is"}: status 70, and which file`, async () => {
        const folder = await mkdtemp(join(tmpdir(), "sealexec-damaged-"));
        try {
          for (const name of readdirSync(dirname(BUNDLE)).filter((file) => file.endsWith(".cjs")))
            copyFileSync(join(dirname(BUNDLE), name), join(folder, name));
          damage(join(folder, "sealexec-commands.cjs"));
          const bundle = join(folder, "sealexec.cjs");
          const artefact: Artefact = { name: what, command: [process.execPath, ...flags, bundle] };
          for (const args of [["--version"], ["run", "--watch", "--", "touch", join(folder, "ran")]]) {
            const outcome = await sealexec(args, { artefact });
            assert.equal(outcome.status, 70, outcome.stderr);
            assert.match(
              outcome.stderr,
              /^sealexec: error: sealexec-commands\.cjs cannot be loaded\nsealexec: hint: install the npm package again, whole\n$/,
            );
          }
          assert.equal(existsSync(join(folder, "ran")), false);
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      });
    }
  }
});
