/** A file that is named and cannot be there: a path that leads through a file, a name that is too long, a circle of links. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { RAN, SAY, assertFailed, withFolder } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, push, sealexec, withAws } from "./harness.ts";

const TMPFS = 0x01021994;
const MEMORY = "/dev/shm";
const skip =
  existsSync(MEMORY) && statfsSync(MEMORY).type === TMPFS ? false : `${MEMORY} is not a tmpfs here`;

const ODD: Readonly<Record<string, (folder: string) => string>> = {
  ENOTDIR: (folder) => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    return join(file, "under");
  },
  ENAMETOOLONG: (folder) => join(folder, "n".repeat(300)),
  ELOOP: (folder) => {
    const link = join(folder, "circle");
    symlinkSync(link, link);
    return join(link, "under");
  },
};

for (const artefact of ARTEFACTS) {
  describe(`a path that cannot be there, by the ${artefact.name}`, { concurrency: 2 }, () => {
    for (const [code, make] of Object.entries(ODD)) {
      const refusal = new RegExp(`cannot be written \\(${code}\\)$`);

      test(`${code}: what would write it ends with 78, before anything is fetched`, () =>
        withFolder((folder) =>
          withAws(async (aws) => {
            const file = make(folder);
            const uri = `s3://${BUCKET}/app.env`;
            const env = aws.env();
            for (const args of [
              ["keygen", file],
              ["pull", uri, "-o", file],
              ["pull", uri, "-o", file, "--force"],
            ]) {
              assertFailed(await sealexec(args, { env, artefact }), 78, refusal, /name a file/);
            }
            assert.deepEqual(aws.calls, []);
          }),
        ));

      test(`${code}: as a sealed file that is to be written`, () =>
        withFolder(async (folder) => {
          const key = join(folder, "key");
          assert.equal((await sealexec(["keygen", key], { artefact })).status, 0);
          for (const flags of [[], ["--replace"]]) {
            const file = make(join(folder));
            const args = ["push", "-", `file:${file}`, "--key", `local:${key}`, ...flags];
            const outcome = await sealexec(args, { input: "A=1\n", artefact });
            assertFailed(
              outcome,
              78,
              new RegExp(`cannot be (written|read) \\(${code}\\)$`),
              /name a file|check/,
            );
            rmSync(join(folder, "circle"), { force: true });
          }
        }));

      test(`${code}: of --fallback it is a warning, and CMD runs`, () =>
        withFolder((folder) =>
          withAws(async (aws) => {
            const uri = await push(aws, "app.env", "A=1\n");
            const args = ["run", "--from", uri, "--key", KEY, "--fallback", make(folder), "--", ...SAY];
            const { status, stdout, stderr } = await sealexec(args, { env: aws.env(), artefact });
            assert.deepEqual([status, stdout], [0, `${RAN}\n`], stderr);
            assert.match(
              stderr,
              new RegExp(
                `^sealexec: warning: --fallback: \\S+ it cannot be read \\(${code}\\)\\nsealexec: hint: \\S.*\\n$`,
              ),
            );
          }),
        ));
    }

    test("a name that is too long, as --env-out", { skip }, async () => {
      const folder = mkdtempSync(join(MEMORY, "sealexec-test-"));
      try {
        const flags = ["--watch", "--on-change", "signal:HUP", "--env-out", join(folder, "n".repeat(300))];
        const outcome = await sealexec(["run", ...flags, "--from", "env-file:none", "--", ...SAY], {
          artefact,
        });
        assertFailed(outcome, 78, /n: cannot be written \(ENAMETOOLONG\)$/, /name a file/);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });
}
