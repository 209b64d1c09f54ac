/** More variables than a program can be started with: told as soon as that is known, not after all are in memory. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { assertFailed, assertPrinted, withFolder } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, sealexec, withAws } from "./harness.ts";
import type { Outcome } from "./harness.ts";

const MOST_BYTES = 6 * 1024 * 1024;

/** Four MiB of lines, eight MiB as variables. */
const MANY = Array.from({ length: 500_000 }, (_, index) => `A${index.toString(36)}=\n`).join("");

/** How many bytes of variables there were when it stopped. */
function readSize({ stderr }: Outcome): number {
  return Number(/arguments and environment are (\d+) bytes/.exec(stderr)?.[1]);
}

for (const artefact of ARTEFACTS) {
  test(`run and check stop at the kernel's limit, push at what no kernel takes, ${artefact.name}`, () =>
    withFolder((cwd) =>
      withAws(async (aws) => {
        const options = { env: aws.env(), artefact, cwd };
        await writeFile(join(cwd, "many.env"), MANY, { mode: 0o600 });
        const stack = Number(
          /^Max stack size +(\d+)/m.exec(await readFile("/proc/self/limits", "latin1"))?.[1],
        );
        const limit = Math.min(MOST_BYTES, Number.isNaN(stack) ? MOST_BYTES : stack / 4);
        for (const command of ["run", "check"]) {
          const outcome = await sealexec([command, "--from", "env-file:many.env", "--", "true"], options);
          assert.equal(outcome.status, 126, outcome.stderr);
          const size = readSize(outcome.stderr === "" ? { ...outcome, stderr: outcome.stdout } : outcome);
          assert.ok(size > limit && size < limit + 100, `${command} stopped at ${size}`);
        }
        aws.resetCalls();
        const pushed = await sealexec(["push", "many.env", `s3://${BUCKET}/app.env`, "--key", KEY], options);
        assertFailed(
          pushed,
          65,
          /dotenv: many\.env: arguments and environment are/,
          /put large values into files/,
        );
        const size = readSize(pushed);
        assert.ok(size > MOST_BYTES && size < MOST_BYTES + 100, `push stopped at ${size}`);
        assert.equal(aws.calls.length, 0);
      }),
    ));
}

const hard = /^Max stack size +\S+ +(\S+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
const skip = hard === "unlimited" ? false : "needs a stack that may be unlimited";

test("a stack without a limit is given no more than the kernel takes at most", { skip }, () =>
  withFolder(async (cwd) => {
    await writeFile(join(cwd, "many.env"), MANY, { mode: 0o600 });
    const prefix = ["sh", "-c", 'ulimit -s unlimited && exec "$@"', "sh"];
    const run = await sealexec(["run", "--from", "env-file:many.env", "--", "true"], { cwd, prefix });
    assertFailed(run, 126, /arguments and environment are \d+ bytes together, and the system takes 6291456/);
    const size = readSize(run);
    assert.ok(size > MOST_BYTES && size < MOST_BYTES + 100, `run stopped at ${size}`);
  }),
);

test("with --only it is what is taken that counts", () =>
  withFolder(async (cwd) => {
    const text = Array.from({ length: 200_000 }, (_, index) => `A${index}=\n`).join("");
    await writeFile(join(cwd, "many.env"), text, { mode: 0o600 });
    const run = [
      "run",
      "--from",
      "env-file:many.env",
      "--only",
      "A7,A8",
      "--",
      "sh",
      "-c",
      "echo ${A7-no}${A8-no}",
    ];
    assertPrinted(await sealexec(run, { cwd }), "\n");
  }));
