/** Sealed files: under a local key with no AWS at all, and under a key of KMS. */
import assert from "node:assert/strict";
import { chmod, copyFile, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { existsSync, lstatSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { assertFailed, assertPrinted, RAN, SAY, until, withFolder } from "./expect.ts";
import { FOREIGN, notRoot } from "./foreign.ts";
import { ARTEFACTS, KEY, runProcess, sealexec, withAws } from "./harness.ts";
import type { Outcome } from "./harness.ts";

const ENV = { AWS_EC2_METADATA_DISABLED: "true" };
const SHARED = "/dev/shm";
const TEXT = "TOKEN=canary-7720ef\n";

for (const artefact of ARTEFACTS) {
  describe(`sealed files, ${artefact.name}`, () => {
    test("keygen, push and run, with no AWS", () =>
      withFolder(async (cwd) => {
        const options = { env: ENV, artefact, cwd };
        assertPrinted(await sealexec(["keygen", "key"], options), "key       local:key\n");
        assert.equal((await stat(join(cwd, "key"))).mode & 0o777, 0o600);
        const pushed = await sealexec(["push", "-", "file:a.sealed", "--key", "local:key"], {
          ...options,
          input: TEXT,
        });
        assert.equal(pushed.status, 0, pushed.stderr);
        const sealed = await readFile(join(cwd, "a.sealed"), "utf8");
        assert.ok(sealed.startsWith("sealexec sealed file 1\n") && !sealed.includes("canary"));
        const run = ["run", "--from", "file:a.sealed", "--key", "local:key", "--", "printenv", "TOKEN"];
        assertPrinted(await sealexec(run, options), "canary-7720ef\n");
      }));

    test("a text in another dialect, which the URI names", () =>
      withFolder(async (cwd) => {
        const options = { env: ENV, artefact, cwd };
        await sealexec(["keygen", "key"], options);
        const uri = "file:a.sealed?format=docker";
        const input = "TOKEN='quoted' # no comment\n";
        const pushed = await sealexec(["push", "-", uri, "--key", "local:key"], { ...options, input });
        assert.equal(pushed.status, 0, pushed.stderr);
        const run = ["run", "--from", uri, "--key", "local:key", "--", "printenv", "TOKEN"];
        assertPrinted(await sealexec(run, options), "'quoted' # no comment\n");
      }));

    test("a key is made once: keygen never writes over a file", () =>
      withFolder(async (cwd) => {
        await writeFile(join(cwd, "key"), "precious");
        assertFailed(
          await sealexec(["keygen", "key"], { env: ENV, artefact, cwd }),
          64,
          /key: is there already/,
        );
        assert.equal(await readFile(join(cwd, "key"), "utf8"), "precious");
      }));

    for (const [what, end] of [
      ["with the line end of Windows", "\r\n"],
      ["without a line end", ""],
    ] as const) {
      test(`a key ${what} is the same key`, () =>
        withFolder(async (cwd) => {
          const options = { env: ENV, artefact, cwd };
          await sealexec(["keygen", "key"], options);
          await sealexec(["push", "-", "file:a.sealed", "--key", "local:key"], { ...options, input: TEXT });
          const key = await readFile(join(cwd, "key"), "utf8");
          await writeFile(join(cwd, "copy"), key.replace(/\n$/, end), { mode: 0o600 });
          const run = ["run", "--from", "file:a.sealed", "--key", "local:copy", "--", ...SAY];
          assertPrinted(await sealexec(run, options), `${RAN}\n`);
        }));
    }

    test("a key that others can read, one that is none, and one that is not there", () =>
      withFolder(async (cwd) => {
        const options = { env: ENV, artefact, cwd };
        await sealexec(["keygen", "key"], options);
        await sealexec(["push", "-", "file:a.sealed", "--key", "local:key"], { ...options, input: TEXT });
        const run = (key: string): string[] => ["run", "--from", "file:a.sealed", "--key", key, "--", "true"];
        // Readable by all, by the group, or only to be written by it.
        for (const mode of [0o644, 0o640, 0o620, 0o602]) {
          await chmod(join(cwd, "key"), mode);
          assertFailed(
            await sealexec(run("local:key"), options),
            78,
            /^key: (?!.*local:.*local:).*local:key: others than its owner/,
            /chmod 600/,
          );
        }
        if (existsSync(SHARED)) {
          // In memory, as what is mounted, and in everybody's reach all the same.
          const folder = await mkdtemp(`${SHARED}/sealexec-test-`);
          try {
            await copyFile(join(cwd, "key"), join(folder, "key"));
            await chmod(join(folder, "key"), 0o644);
            const readable = /^key: .*local:\S+key: others than its owner can read it$/;
            assertFailed(await sealexec(run(`local:${folder}/key`), options), 78, readable, /chmod 600/);
            await chmod(join(folder, "key"), 0o600);
            assertPrinted(await sealexec(run(`local:${folder}/key`), options), "");
          } finally {
            await rm(folder, { recursive: true });
          }
        }
        await writeFile(join(cwd, "other"), "not a key\n", { mode: 0o600 });
        assertFailed(
          await sealexec(run("local:other"), options),
          78,
          /^key: (?!.*local:.*local:).*local:other: not a local key/,
          /keygen/,
        );
        assertFailed(
          await sealexec(run("local:absent"), options),
          66,
          /^key: (?!.*local:.*local:).*local:absent: cannot be read/,
          /keygen/,
        );
        await sealexec(["keygen", "second"], options);
        assertFailed(
          await sealexec(run("local:second"), options),
          65,
          /another local key/,
          /--key local:PATH/,
        );
      }));

    test("push under a key that is not there, or is none, says that, whatever lies where it pushes to", () =>
      withFolder(async (cwd) => {
        const push = (key: string, uri: string, ...flags: string[]): Promise<Outcome> =>
          sealexec(["push", "-", uri, "--key", key, ...flags], { env: ENV, artefact, cwd, input: TEXT });
        await sealexec(["keygen", "key"], { env: ENV, artefact, cwd });
        assert.equal((await push("local:key", "file:a.sealed")).status, 0);
        const before = await readFile(join(cwd, "a.sealed"));
        await writeFile(join(cwd, "other"), "not a key\n", { mode: 0o600 });
        for (const [uri, ...flags] of [
          ["file:new.sealed"],
          ["file:a.sealed"],
          ["file:a.sealed", "--replace"],
        ] as const) {
          const absent = /^key: (?!.*cannot be compared).*local:absent: cannot be read \(ENOENT\)$/;
          assertFailed(await push("local:absent", uri, ...flags), 66, absent, /keygen/);
          const none = /^key: (?!.*cannot be compared).*local:other: not a local key$/;
          assertFailed(await push("local:other", uri, ...flags), 78, none, /keygen/);
        }
        assert.deepEqual(await readFile(join(cwd, "a.sealed")), before);
        assert.deepEqual((await readdir(cwd)).toSorted(), ["a.sealed", "key", "other"]);
      }));

    test("under a key of KMS, with its context; each kind of key opens its own only", () =>
      withFolder((cwd) =>
        withAws(async (aws) => {
          const options = { env: aws.env(), artefact, cwd };
          const flags = ["--key", KEY, "--context", "stage=prod"];
          const pushed = await sealexec(["push", "-", "file:a.sealed", ...flags], {
            ...options,
            input: TEXT,
          });
          assert.equal(pushed.status, 0, pushed.stderr);
          const run = ["run", "--from", "file:a.sealed", ...flags, "--", "printenv", "TOKEN"];
          aws.resetCalls();
          assertPrinted(await sealexec(run, options), "canary-7720ef\n");
          assert.deepEqual([aws.count("s3"), aws.count("kms")], [0, 1]);
          const other = [
            "run",
            "--from",
            "file:a.sealed",
            "--key",
            KEY,
            "--context",
            "stage=dev",
            "--",
            "true",
          ];
          assertFailed(await sealexec(other, options), 65, /encryption context does not match/);
          await sealexec(["keygen", "key"], options);
          const local = ["run", "--from", "file:a.sealed", "--key", "local:key", "--", "true"];
          assertFailed(
            await sealexec(local, options),
            65,
            /wrapped by KMS, not with a local key/,
            /--key KEY/,
          );
          await sealexec(["push", "-", "file:b.sealed", "--key", "local:key"], { ...options, input: TEXT });
          const kms = ["run", "--from", "file:b.sealed", "--key", KEY, "--", "true"];
          assertFailed(await sealexec(kms, options), 65, /x-amz-w is 02/, /--key local:PATH/);
        }),
      ));

    test("sources of both kinds of key do not open together: both hints say so", () =>
      withFolder((cwd) =>
        withAws(async (aws) => {
          const options = { env: aws.env(), artefact, cwd };
          await sealexec(["keygen", "key"], options);
          const seal = (uri: string, key: string): Promise<Outcome> =>
            sealexec(["push", "-", uri, "--key", key], { ...options, input: TEXT });
          await seal("s3://app-secrets/app.env", KEY);
          await seal("file:a.sealed", "local:key");
          const run = ["run", "--from", "s3://app-secrets/app.env", "--from", "file:a.sealed"];
          const both = /--key .*the sealed sources of one run are all under KMS, or all under one local key/;
          for (const flags of [[], ["--key", KEY], ["--key", "local:key"]])
            assertFailed(await sealexec([...run, ...flags, "--", "true"], options), 65, /^format: /, both);
        }),
      ));

    test("push replaces no link, wherever it leads, no device or pipe, and nobody else's file", () =>
      withFolder(async (cwd) => {
        const options = { env: ENV, artefact, cwd };
        const file = join(cwd, "a.sealed");
        const push = (to: string, ...flags: string[]): Promise<Outcome> =>
          sealexec(["push", "-", `file:${to}`, "--key", "local:key", ...flags], { ...options, input: TEXT });
        await sealexec(["keygen", "key"], options);
        assert.equal((await push("b.sealed")).status, 0);
        const links = ["b.sealed", "nowhere"].map((to) => (at: string) => symlinkSync(to, at));
        for (const make of [...links, ...(notRoot === false ? FOREIGN : [])]) {
          make(file);
          const before = lstatSync(file);
          for (const flags of [[], ["--replace"], ["--replace", "--force"]]) {
            assertFailed(
              await push("a.sealed", ...flags),
              78,
              /^object: file:a\.sealed: (is not a regular file|belongs to another user), and is not replaced$/,
            );
          }
          const after = lstatSync(file);
          assert.deepEqual([after.ino, after.mode, after.mtimeMs], [before.ino, before.mode, before.mtimeMs]);
          rmSync(file, { recursive: true });
        }
        const run = ["run", "--from", "file:b.sealed", "--key", "local:key", "--", "printenv", "TOKEN"];
        assertPrinted(await sealexec(run, options), "canary-7720ef\n");
        // What only reads follows links, as mounted files often are some.
        symlinkSync("b.sealed", join(cwd, "link"));
        const name = ["run", "--from", "file:link?name=b.sealed", ...run.slice(3)];
        assertPrinted(await sealexec(name, options), "canary-7720ef\n");
      }));

    for (const before of ["nothing", "an older text"] as const) {
      test(`what somebody else wrote over ${before} since the look stays, and no draft is left beside it`, () =>
        withFolder((cwd) =>
          withAws(async (aws) => {
            const options = { env: aws.env(), artefact, cwd };
            const push = (input: string, ...flags: string[]): Promise<Outcome> =>
              sealexec(["push", "-", "file:a.sealed", "--key", KEY, ...flags], { ...options, input });
            if (before !== "nothing") assert.equal((await push("A=1\n")).status, 0);
            const rule = {
              service: "kms",
              operation: "GenerateDataKey",
              action: "delay",
              delayMs: 700,
            } as const;
            const slow = aws.faults.add(rule);
            const outcome = push("A=2\n", "--replace");
            await until(() => slow.hits > 0);
            await writeFile(join(cwd, "a.sealed"), "theirs");
            assertFailed(await outcome, 80, /^object: file:a\.sealed: /, /nothing was overwritten/);
            assert.equal(await readFile(join(cwd, "a.sealed"), "utf8"), "theirs");
            assert.deepEqual(await readdir(cwd), ["a.sealed"]);
          }),
        ));
    }

    test("what somebody else deleted since the look is not made again", () =>
      withFolder((cwd) =>
        withAws(async (aws) => {
          const options = { env: aws.env(), artefact, cwd };
          const push = (input: string): Promise<Outcome> =>
            sealexec(["push", "-", "file:a.sealed", "--key", KEY, "--replace"], { ...options, input });
          assert.equal((await push("A=1\n")).status, 0);
          const rule = {
            service: "kms",
            operation: "GenerateDataKey",
            action: "delay",
            delayMs: 700,
          } as const;
          const slow = aws.faults.add(rule);
          const outcome = push("A=2\n");
          await until(() => slow.hits > 0);
          await rm(join(cwd, "a.sealed"));
          assertFailed(await outcome, 80, /^object: file:a\.sealed: /, /nothing was overwritten/);
          assert.deepEqual(await readdir(cwd), []);
        }),
      ));

    test("a sealed file can be read by others, as far as the umask lets them", () =>
      withFolder(async (cwd) => {
        const options = { env: ENV, artefact, cwd, input: TEXT };
        await sealexec(["keygen", "key"], { env: ENV, artefact, cwd });
        const push = ["push", "-", "file:a.sealed", "--key", "local:key", "--replace", "--force"];
        for (const [umask, mode] of [
          ["022", 0o644],
          ["027", 0o640],
        ] as const) {
          const prefix = ["sh", "-c", `umask ${umask}; exec "$@"`, "sh"];
          const { status, stderr } = await sealexec(push, { ...options, prefix });
          assert.equal(status, 0, stderr);
          assert.equal((await stat(join(cwd, "a.sealed"))).mode & 0o777, mode);
        }
      }));

    test("a local key is not for S3", () =>
      withFolder(async (cwd) => {
        const options = { env: ENV, artefact, cwd, input: TEXT };
        await sealexec(["keygen", "key"], { env: ENV, artefact, cwd });
        const s3 = ["push", "-", "s3://bucket/key", "--key", "local:key"];
        assertFailed(await sealexec(s3, options), 64, /a local key is for sealed files/, /KMS/);
      }));

    test("what is no sealed file is not written over unless that is said", () =>
      withFolder(async (cwd) => {
        const options = { env: ENV, artefact, cwd };
        await sealexec(["keygen", "key"], options);
        await writeFile(join(cwd, ".env"), TEXT);
        const again = ["push", ".env", "file:a.sealed", "--key", "local:key"];
        assert.equal((await sealexec(again, options)).status, 0);
        await writeFile(join(cwd, "a.sealed"), TEXT);
        for (const flags of [[], ["--create"], ["--if-match", "0".repeat(64)]])
          assertFailed(await sealexec([...again, ...flags], options), 80, /file/, /pull/);
        assert.equal(await readFile(join(cwd, "a.sealed"), "utf8"), TEXT);
      }));
  });
}

for (const artefact of ARTEFACTS) {
  test(`${artefact.name}: a pipe or a device in the place of a key or a token is refused, and waited for by nobody`, () =>
    withFolder(async (cwd) => {
      const options = { env: ENV, artefact, cwd, killAfterMs: 10_000 };
      await sealexec(["keygen", "key"], { env: ENV, artefact, cwd });
      await sealexec(["push", "-", "file:a.sealed", "--key", "local:key"], { ...options, input: TEXT });
      await runProcess(["mkfifo", "-m", "600", join(cwd, "fifo")]);
      for (const key of ["local:fifo", "local:/dev/zero"]) {
        const run = ["run", "--from", "file:a.sealed", "--key", key, "--timeout", "2", "--", "true"];
        assertFailed(await sealexec(run, options), 78, /cannot be read|others than its owner/);
      }
      for (const file of [join(cwd, "fifo"), "/dev/zero"]) {
        const env = { ...ENV, VAULT_ADDR: "http://127.0.0.1:9", VAULT_TOKEN_FILE: file };
        const run = ["run", "--from", "vault://m/p", "--timeout", "2", "--", "true"];
        assertFailed(await sealexec(run, { ...options, env }), 78, /VAULT_TOKEN_FILE: \S+ cannot be read/);
      }
    }));
}
