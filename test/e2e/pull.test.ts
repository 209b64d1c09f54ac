/** `sealexec pull` from outside. */
import assert from "node:assert/strict";
import { lstat, mkdir, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Aws } from "../aws/server.ts";
import { assertFailed, assertPrinted, flipBodyBit, putDirect, withFolder } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, onPath, push, runProcess, sealexec, withAws } from "./harness.ts";
import { FOREIGN, notRoot } from "./foreign.ts";
import type { Artefact, Outcome } from "./harness.ts";

function withObject(text: string, work: (scene: { aws: Aws; uri: string; folder: string }) => Promise<void>) {
  return withFolder((folder) =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", text);
      aws.resetCalls();
      await work({ aws, folder, uri });
    }),
  );
}

for (const artefact of ARTEFACTS) {
  describe(`pull, by the ${artefact.name}`, { concurrency: 2 }, () => {
    const pull = (aws: Aws, args: readonly string[]): Promise<Outcome> =>
      sealexec(["pull", ...args], { env: aws.env(), artefact });

    for (const [name, text] of Object.entries({
      "comments and blank lines": "# head\n\n  A=1 # tail\n\n\n# end\n",
      "CRLF and a byte order mark": "\uFEFFA=1\r\nB='x\r\ny'\r\n",
      "no line end at the end": "A=1\nB=2",
      "quotes and UTF-8": "A='it is' # żółw\nB=\"🙂\\n\"\n",
      "one variable between comments": "# before\nA=1\n# nothing more yet\n",
    })) {
      test(`prints byte for byte what was sealed: ${name}`, () =>
        withObject(text, async ({ aws, uri }) => {
          assertPrinted(await pull(aws, [uri]), text);
          assert.equal(aws.count("s3", "GetObject"), 1);
          assert.equal(aws.count("kms", "Decrypt"), 1);
        }));
    }

    test("prints all of a large one through a pipe", () =>
      withObject(`A='${"0123456789abcdef".repeat(40_000)}'\n`, async ({ aws, uri }) => {
        const { status, stdout } = await pull(aws, [uri]);
        assert.equal(status, 0);
        assert.equal(stdout.length, 640_005);
      }));

    test("writes a file that only its owner can read, whatever the umask", () =>
      withObject("A=1\n", async ({ aws, uri, folder }) => {
        const file = join(folder, "out.env");
        for (const mask of ["000", "077"]) {
          const shell = ["sh", "-c", `umask ${mask}; exec "$0" "$@"`, ...artefact.command];
          const words = [...shell, "pull", uri, "-o", file, "--force"];
          assertPrinted(await runProcess(words, { env: aws.env() }), "");
          assert.equal((await stat(file)).mode & 0o7777, 0o600);
          assert.equal(await readFile(file, "utf8"), "A=1\n");
        }
        assert.deepEqual(await readdir(folder), ["out.env"]);
      }));

    test("leaves a file that is there as it is, and fetches nothing", () =>
      withObject("A=1\n", async ({ aws, uri, folder }) => {
        const file = join(folder, "out.env");
        await writeFile(file, "mine", { mode: 0o640 });
        aws.resetCalls();
        assertFailed(await pull(aws, [uri, "-o", file]), 64, /out\.env: is there already/, /--force/);
        assert.deepEqual([aws.calls.length, aws.connections.length], [0, 0]);
        assert.equal(await readFile(file, "utf8"), "mine");
        await symlink(join(folder, "nowhere"), join(folder, "dangling"));
        assertFailed(await pull(aws, [uri, "--output", join(folder, "dangling")]), 64, /is there already/);
      }));

    test("--force puts a new file of mode 0600 in its place", () =>
      withObject("A=1\n", async ({ aws, uri, folder }) => {
        const file = join(folder, "out.env");
        await writeFile(file, "mine", { mode: 0o644 });
        assertPrinted(await pull(aws, [uri, "-o", file, "--force"]), "");
        assert.equal((await stat(file)).mode & 0o7777, 0o600);
        assert.equal(await readFile(file, "utf8"), "A=1\n");
        assert.deepEqual(await readdir(folder), ["out.env"]);
      }));

    test("--force replaces no device, pipe, link or folder, and nobody else's file", { skip: notRoot }, () =>
      withObject("A=1\n", async ({ aws, uri, folder }) => {
        aws.resetCalls();
        const file = join(folder, "out.env");
        for (const make of FOREIGN) {
          make(file);
          const before = await lstat(file);
          const outcome = await pull(aws, [uri, "-o", file, "--force"]);
          assertFailed(outcome, 78, /out\.env: (is not a regular file|belongs to another user), and is not/);
          assert.deepEqual(await lstat(file), before);
          await rm(file, { recursive: true });
        }
        assert.deepEqual(aws.calls, []);
      }),
    );

    test("a failure leaves no draft behind and the old file as it was", () =>
      withObject("A=1\n", async ({ aws, uri, folder }) => {
        const file = join(folder, "out.env");
        await writeFile(file, "mine");
        flipBodyBit(aws, "app.env");
        assertFailed(await pull(aws, [uri, "-o", file, "--force"]), 65, /^decrypt: /);
        assertFailed(await pull(aws, [uri, "-o", join(folder, "new.env")]), 65, /^decrypt: /);
        assert.equal(await readFile(file, "utf8"), "mine");
        assert.deepEqual(await readdir(folder), ["out.env"]);
        await push(aws, "app.env", "A=2\n");
        await mkdir(join(folder, "place"));
        assertFailed(
          await pull(aws, [uri, "-o", join(folder, "place"), "--force"]),
          78,
          /place: is not a regular file/,
        );
        assertFailed(await pull(aws, [uri, "-o", join(folder, "no", "out")]), 78, /out: cannot be written/);
        assert.deepEqual((await readdir(folder)).sort(), ["out.env", "place"]);
      }));

    test("what cannot be written whole leaves no part of it behind, and the old file as it was", (t) =>
      withObject(`A=${"x".repeat(5_000)}\n`, async ({ aws, uri, folder }) => {
        if (onPath("prlimit") === undefined) return t.skip("needs prlimit");
        const file = join(folder, "out.env");
        const small = ["prlimit", "--fsize=1000"];
        const full = (...flags: string[]): Promise<Outcome> =>
          sealexec(["pull", uri, "-o", file, ...flags], { env: aws.env(), artefact, prefix: small });
        const message = /out\.env: cannot be written \(EFBIG\)$/;
        assertFailed(await full(), 78, message, /ulimit -f/);
        assert.deepEqual(await readdir(folder), []);
        await writeFile(file, "mine");
        assertFailed(await full("--force"), 78, message, /ulimit -f/);
        assert.deepEqual(await readdir(folder), ["out.env"]);
        assert.equal(await readFile(file, "utf8"), "mine");
      }));

    test("ends by SIGPIPE's status when its reader has gone, without a word", () =>
      withObject(`A='${"0123456789abcdef".repeat(40_000)}'\n`, async ({ aws, uri }) => {
        const piped = `"$0" "$@" | head -c 5; echo " $PIPESTATUS"`;
        const words = ["bash", "-c", piped, ...artefact.command, "pull", uri];
        assertPrinted(await runProcess(words, { env: aws.env() }), "A='01 141\n");
      }));

    test("an output that cannot be written is an error", () =>
      withObject("A=1\n", async ({ aws, uri }) => {
        const words = ["sh", "-c", '"$0" "$@" >/dev/full', ...artefact.command, "pull", uri];
        assertFailed(await runProcess(words, { env: aws.env() }), 78, /standard output: .*ENOSPC/);
      }));
  });
}

describe("pull: which object", () => {
  const [artefact] = ARTEFACTS as readonly [Artefact, ...Artefact[]];
  const pull = (aws: Aws, ...args: string[]): Promise<Outcome> =>
    sealexec(["pull", ...args], { env: aws.env(), artefact });

  test("a version, the key and the context are as in run", () =>
    withObject("A=1\n", async ({ aws, uri }) => {
      const version = aws.s3.get(BUCKET, "app.env")?.versionId ?? "";
      await push(aws, "app.env", "A=2\n", ["--context", "stage=prod"]);
      aws.kms.createKey({ alias: "other" });
      assertPrinted(await pull(aws, `${uri}?versionId=${version}`), "A=1\n");
      assertPrinted(await pull(aws, uri, "--key", KEY, "--context", "stage=prod"), "A=2\n");
      assertFailed(await pull(aws, uri, "--context", "stage=test"), 65, /stage"? differs/);
      assertFailed(await pull(aws, uri, "--key", "alias/other"), 77, /another key/);
      assertFailed(await pull(aws, `${uri}?versionId=none`), 66, /no such version/);
      assertFailed(await pull(aws), 64, /missing required argument 'uri'/);
      assertFailed(await pull(aws, uri, uri), 64, /too many arguments/);
    }));

  test("--max-lag is refused where nothing says when it was written, before anything is read", async () => {
    const args = ["pull", "env-file:/nonexistent", "--max-lag", "1h"];
    assertFailed(await sealexec(args, { artefact }), 64, /^--max-lag .* is for sealed objects in S3$/);
  });

  test("a .env that is not valid can still be read: its owner has to repair it", () =>
    withAws(async (aws) => {
      await push(aws, "app.env", "A=1\n");
      const uri = putDirect(aws, "old.env", "no assignment\n");
      assertPrinted(await pull(aws, uri, "--accept", "kms-direct"), "no assignment\n");
    }));
});
