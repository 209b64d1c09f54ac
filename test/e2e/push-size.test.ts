/** The largest file that is sealed: with its tag it is the largest object that is read (s3-encryption/encryption.md, Content Encryption). */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { assertFailed, assertPrinted, RAN, SAY, withFolder } from "./expect.ts";
import { BUCKET, KEY, sealexec, withAws } from "./harness.ts";

const LARGEST_BYTES = 4 * 1024 * 1024 - 16;
const URI = `s3://${BUCKET}/app.env`;

/** A .env of so many bytes, most of them a comment. */
function sized(bytes: number): string {
  const text = "A=1\n#";
  return text.padEnd(bytes, "x");
}

test("a file of the largest size is sealed and opens; with one byte more it is refused before anybody is asked", () =>
  withFolder((cwd) =>
    withAws(async (aws) => {
      const env = aws.env();
      await writeFile(join(cwd, "large.env"), sized(LARGEST_BYTES + 1));
      const refused = await sealexec(["push", "large.env", URI, "--key", KEY], { env, cwd });
      assertFailed(refused, 65, /large\.env: larger than 4194288 bytes/);
      assert.equal(aws.calls.length, 0);
      await writeFile(join(cwd, "large.env"), sized(LARGEST_BYTES));
      const pushed = await sealexec(["push", "large.env", URI, "--key", KEY], { env, cwd });
      assert.equal(pushed.status, 0, pushed.stderr);
      assertPrinted(await sealexec(["run", "--from", URI, "--", ...SAY], { env }), `${RAN}\n`);
    }),
  ));

const SECRET_FILE_BYTES = 1024 * 1024;

for (const [uri, largest, flags] of [
  [URI, LARGEST_BYTES, ["--key", KEY]],
  ["file:app.sealed", LARGEST_BYTES, ["--key", KEY]],
  // Comments are not written there: far more of a file can be taken.
  ["secretsmanager://app", SECRET_FILE_BYTES, []],
  ["ssm:///app/", 4 * 1024 * 1024, []],
] as const) {
  test(`standard input of the largest size is written to ${uri}; with one byte more it is refused before anybody is asked`, () =>
    withFolder((cwd) =>
      withAws(async (aws) => {
        const push = (bytes: number) =>
          sealexec(["push", "-", uri, ...flags], { env: aws.env(), cwd, input: sized(bytes) });
        assertFailed(await push(largest + 1), 65, new RegExp(`standard input: more than ${largest} bytes`));
        assert.equal(aws.calls.length, 0);
        const { status, stderr } = await push(largest);
        assert.equal(status, 0, stderr);
        const run = ["run", "--from", uri, "--", "printenv", "A"];
        assertPrinted(await sealexec(run, { env: aws.env(), cwd }), "1\n");
      }),
    ));
}
