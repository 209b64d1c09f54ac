/** `--env-out`: the variables in a file in memory, for a program that reads them again when it is signalled. */
import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  statfsSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseDotenv } from "../../../src/text/dotenv/parse.ts";
import { assertFailed, withFolder } from "../expect.ts";
import { FOREIGN, notRoot } from "../foreign.ts";
import { push, sealexec, withAws } from "../harness.ts";
import { SELDOM, watching } from "./watching.ts";

const MEMORY = "/dev/shm";
const TMPFS = 0x01021994;
const isThere = existsSync(MEMORY) && statfsSync(MEMORY).type === TMPFS;
const skip = isThere ? false : `${MEMORY} is not a tmpfs here`;

async function inMemory(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(MEMORY, "sealexec-test-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const AWKWARD = "A='$x `y` \"z\"'\nB='two\nlines'\nC=\n";

/** Reads the file at its start and at each HUP, as a server does its configuration. */
const READER = (file: string): string[] => [
  "sh",
  "-c",
  `show() { grep -c . "${file}"; }; trap show HUP; trap "exit 0" TERM; show; while :; do sleep 0.02; done`,
];

describe("--env-out", { skip, concurrency: 2 }, () => {
  test("is there before CMD runs, mode 0600; is replaced whole before the signal; and is gone with sealexec", () =>
    inMemory((folder) =>
      withAws(async (aws) => {
        const file = join(folder, "app.env");
        const uri = await push(aws, "app.env", AWKWARD);
        const flags = ["--from", uri, ...SELDOM, "--on-change", "signal:HUP", "--env-out", file];
        await watching({ env: aws.env(), flags, cmd: READER(file) }, async (watch) => {
          assert.deepEqual(watch.lines(), ["4"]);
          const before = statSync(file);
          assert.equal(before.mode & 0o777, 0o600);
          const values = [...parseDotenv(readFileSync(file))].map(([name, secret]) => [
            name,
            secret.reveal(),
          ]);
          assert.deepEqual(values, [
            ["A", '$x `y` "z"'],
            ["B", "two\nlines"],
            ["C", ""],
          ]);
          await push(aws, "app.env", "A=1\n");
          await watch.lookUntil(() => watch.lines().length === 2);
          assert.equal(watch.lines()[1], "1");
          assert.notEqual(statSync(file).ino, before.ino);
          assert.deepEqual(readdirSync(folder), ["app.env"]);
          watch.kill("SIGTERM");
          assert.deepEqual(await watch.ended, { status: 0, signal: null });
        });
        assert.deepEqual(readdirSync(folder), []);
      }),
    ));

  test("stays as it is where a change cannot be opened", () =>
    inMemory((folder) =>
      withAws(async (aws) => {
        const file = join(folder, "app.env");
        const uri = await push(aws, "app.env", "A=1\n");
        const flags = [
          "--from",
          uri,
          ...SELDOM,
          "--on-change",
          "signal:HUP",
          "--env-out",
          file,
          "--require",
          "A",
        ];
        await watching({ env: aws.env(), flags, cmd: READER(file) }, async (watch) => {
          await push(aws, "app.env", "B=2\n");
          await watch.lookUntil(() => watch.said().length === 2);
          assert.equal(readFileSync(file, "utf8"), "A=1\n");
          assert.equal(watch.lines().length, 1);
        });
      }),
    ));

  test("where it cannot be written anew, CMD is not signalled, and it is tried again", () =>
    inMemory((folder) =>
      withAws(async (aws) => {
        const file = join(folder, "app.env");
        const uri = await push(aws, "app.env", "A=1\n");
        const flags = ["--from", uri, ...SELDOM, "--on-change", "signal:HUP", "--env-out", file];
        await watching({ env: aws.env(), flags, cmd: READER(file) }, async (watch) => {
          renameSync(folder, `${folder}-away`);
          await push(aws, "app.env", "A=1\nB=2\n");
          await watch.lookUntil(() => watch.said().length === 2);
          assert.equal(watch.lines().length, 1);
          assert.match(watch.said()[0] ?? "", /--env-out: .*; CMD goes on as it is$/);
          renameSync(`${folder}-away`, folder);
          await watch.lookUntil(() => watch.lines().length === 2);
          assert.equal(watch.lines()[1], "2");
          // The sources could be read all the while.
          const over = watch.said().filter((line) => line.endsWith(" again"));
          assert.deepEqual(over, [`sealexec: notice: --env-out: ${file} can be written again`]);
        });
      }),
    ));

  test("where its folder does not lie in memory any more, nothing is written, and it is tried again", () =>
    inMemory((folder) =>
      withFolder((disk) =>
        withAws(async (aws) => {
          if (statfsSync(disk).type === TMPFS) return;
          const [memory, link] = [join(folder, "memory"), join(folder, "link")];
          mkdirSync(memory);
          symlinkSync(memory, link);
          const file = join(link, "app.env");
          const uri = await push(aws, "app.env", "A=1\n");
          const flags = ["--from", uri, ...SELDOM, "--on-change", "signal:HUP", "--env-out", file];
          await watching({ env: aws.env(), flags, cmd: READER(file) }, async (watch) => {
            rmSync(link);
            symlinkSync(disk, link);
            await push(aws, "app.env", "A=1\nB=2\n");
            await watch.lookUntil(() => watch.said().length === 2 || readdirSync(disk).length > 0);
            assert.deepEqual(readdirSync(disk), []);
            assert.match(
              watch.said()[0] ?? "",
              /--env-out: .* does not lie on a tmpfs; CMD goes on as it is$/,
            );
            assert.equal(watch.lines().length, 1);
            rmSync(link);
            symlinkSync(memory, link);
            await watch.lookUntil(() => watch.lines().length === 2);
            assert.equal(watch.lines()[1], "2");
          });
          assert.deepEqual(readdirSync(disk), []);
        }),
      ),
    ));

  test("what is there and is no file of ours is refused, and stays", { skip: notRoot }, () =>
    inMemory((folder) =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        aws.resetCalls();
        for (const make of FOREIGN) {
          const file = join(folder, "app.env");
          make(file);
          const before = lstatSync(file);
          const flags = ["--watch", "--on-change", "signal:HUP", "--env-out", file];
          const outcome = await sealexec(["run", "--from", uri, ...flags, "--", "true"], { env: aws.env() });
          assertFailed(outcome, 78, /app\.env: (is not a regular file|belongs to another user), and is not/);
          assert.deepEqual(lstatSync(file), before);
          rmSync(file, { recursive: true });
        }
        assert.deepEqual(aws.calls, []);
      }),
    ),
  );

  test("is refused in a folder in which others could replace it, before anything is fetched", () =>
    inMemory((folder) =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        aws.resetCalls();
        const file = join(folder, "app.env");
        const flags = ["--watch", "--on-change", "signal:HUP", "--env-out", file];
        const run = (): ReturnType<typeof sealexec> =>
          sealexec(["run", "--from", uri, ...flags, "--", "true"], { env: aws.env() });
        for (const mode of [0o777, 0o770, 0o702]) {
          chmodSync(folder, mode);
          assertFailed(await run(), 78, /--env-out: others can replace files in \S+$/, /mkdir -m 700/);
        }
        if (notRoot === false) {
          chownSync(folder, 12_345, 12_345);
          for (const mode of [0o700, 0o1777]) {
            chmodSync(folder, mode);
            assertFailed(await run(), 78, /--env-out: others can replace files in \S+$/, /mkdir -m 700/);
          }
          chownSync(folder, 0, 0);
        }
        assert.deepEqual([aws.calls, readdirSync(folder)], [[], []]);
        // As /dev/shm is: each can replace his own only.
        for (const mode of [0o1777, 0o1770, 0o755]) {
          chmodSync(folder, mode);
          assert.deepEqual(await run(), { status: 0, signal: null, stdout: "", stderr: "" });
        }
      }),
    ));

  test("CMD is not signalled where others have been let into the folder since", () =>
    inMemory((folder) =>
      withAws(async (aws) => {
        const file = join(folder, "app.env");
        const uri = await push(aws, "app.env", "A=1\n");
        const flags = ["--from", uri, ...SELDOM, "--on-change", "signal:HUP", "--env-out", file];
        await watching({ env: aws.env(), flags, cmd: READER(file) }, async (watch) => {
          chmodSync(folder, 0o777);
          await push(aws, "app.env", "A=1\nB=2\n");
          await watch.lookUntil(() => watch.said().length === 2);
          assert.match(watch.said().join("\n"), /others can replace files in/);
          assert.deepEqual([watch.lines().length, readFileSync(file, "utf8")], [1, "A=1\n"]);
        });
      }),
    ));

  test("a file that has taken its place is neither written over nor removed, and that is said", () =>
    inMemory((folder) =>
      withAws(async (aws) => {
        const file = join(folder, "app.env");
        const uri = await push(aws, "app.env", "A=1\n");
        const flags = ["--from", uri, ...SELDOM, "--on-change", "signal:HUP", "--env-out", file];
        await watching({ env: aws.env(), flags, cmd: READER(file) }, async (first) => {
          // The second is told at once, the first at its next change.
          await watching({ env: aws.env(), flags, cmd: READER(file) }, async (second) => {
            assert.match(second.said().join("\n"), /--env-out: .*app\.env is there already and is replaced/);
            await push(aws, "app.env", "A=2\n");
            await first.lookUntil(() =>
              first.said().some((line) => /was replaced by somebody else/.test(line)),
            );
            assert.equal(first.lines().length, 1);
            assert.equal(readFileSync(file, "utf8"), "A=1\n");
            first.kill("SIGTERM");
            assert.deepEqual(await first.ended, { status: 0, signal: null });
            assert.equal(readFileSync(file, "utf8"), "A=1\n");
            second.kill("SIGTERM");
            assert.deepEqual(await second.ended, { status: 0, signal: null });
          });
        });
        assert.deepEqual(readdirSync(folder), []);
      }),
    ));

  test("is refused where it would not lie in memory, before anything is fetched", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        if (statfsSync(folder).type === TMPFS) return;
        const uri = await push(aws, "app.env", "A=1\n");
        aws.resetCalls();
        const env = aws.env();
        const run = (path: string, ...more: string[]): ReturnType<typeof sealexec> => {
          const flags = ["--watch", "--on-change", "signal:HUP", "--env-out", path, "--from", uri, ...more];
          return sealexec(["run", ...flags, "--", "echo", "CMD-RAN"], { env });
        };
        assertFailed(
          await run(join(folder, "app.env")),
          78,
          /--env-out: .* does not lie on a tmpfs$/,
          /\/dev\/shm/,
        );
        assertFailed(await run(join(folder, "none", "app.env")), 78, /is no folder that can be looked at$/);
        assert.deepEqual(aws.calls, []);
        assert.deepEqual(readdirSync(folder), []);
      }),
    ));

  test("what makes no sense is refused", () =>
    withAws(async (aws) => {
      const run = (...flags: string[]): ReturnType<typeof sealexec> =>
        sealexec(["run", ...flags, "--from", "s3://b-b/k", "--", "true"], { env: aws.env() });
      assertFailed(
        await run("--watch", "--env-out", "/dev/shm/x"),
        64,
        /--env-out .* is for --on-change signal:NAME$/,
      );
      assertFailed(await run("--env-out", "/dev/shm/x"), 64, /--env-out is for --watch$/, /SEALEXEC_WATCH=1/);
      assertFailed(await run("--every", "5s"), 64, /--every is for --watch$/);
      assertFailed(
        await run("--watch", "--every", "5 s"),
        64,
        /--every .* is not a duration from 100ms to 1d$/,
      );
      assertFailed(
        await run("--watch", "--on-change", "signal:KILL"),
        64,
        /neither restart, signal:NAME nor exit$/,
      );
      assertFailed(await run("--watch", "--on-exit", "no"), 64, /neither exit nor restart$/);
      assert.deepEqual(aws.calls, []);
    }));
});
