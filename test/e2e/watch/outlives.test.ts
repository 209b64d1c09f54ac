/** `run --watch` outlives what happens around it: its own file, its folder, a fork that fails, a terminal that closes. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { buildPrograms, canUserRun, isRoot, skipReason } from "../exec/programs.ts";
import { until, withFolder } from "../expect.ts";
import { ARTEFACTS, sealexec } from "../harness.ts";
import type { Artefact } from "../harness.ts";
import { withScene } from "./scene.ts";
import { childrenOf } from "./watched.ts";
import { watching } from "./watching.ts";
import type { Watching, WatchingOptions } from "./watching.ts";

const skip = process.platform === "linux" ? false : "needs Linux";
const programs = buildPrograms();
const [binary, bundle] = ARTEFACTS;
assert.ok(binary !== undefined && bundle !== undefined);

const STAYS = ["sh", "-c", 'echo "start A=$A"; exec sleep 1000'];

interface Place {
  readonly folder: string;
  readonly watch: Watching;
  /** gives A another value */
  change(): void;
}

/** CMD runs with A=0 of a mounted file in a folder of its own. */
function withPlace(
  options: Partial<WatchingOptions> & { readonly prepare?: (folder: string) => Partial<WatchingOptions> },
  work: (place: Place) => Promise<void>,
): Promise<void> {
  return withFolder(async (folder) => {
    const { prepare, ...others } = options;
    // For those tests in which sealexec is not root.
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "mounted"));
    const file = join(folder, "mounted", "app.env");
    let value = 0;
    const put = (): void => {
      writeFileSync(`${file}.new`, `A=${value}\n`, { mode: 0o644 });
      renameSync(`${file}.new`, file);
      value += 1;
    };
    put();
    const flags = ["--from", `env-file:${file}`, "--every", "100ms", ...(others.flags ?? [])];
    await watching(
      { env: {}, cmd: STAYS, ...others, ...prepare?.(folder), flags },
      async (watch) => await work({ folder, watch, change: put }),
    );
  });
}

const starts = ({ lines }: Watching): string[] => lines().filter((line) => line.startsWith("start "));

/** A copy of an artefact, which can be taken away. */
function copyOf({ name, command }: Artefact, folder: string): Artefact {
  const original = command.at(-1) ?? "";
  const beside =
    name === binary?.name
      ? [original]
      : readdirSync(dirname(original)).filter((file) => file.endsWith(".cjs"));
  for (const file of beside) {
    copyFileSync(join(dirname(original), basename(file)), join(folder, basename(file)));
  }
  const copy = join(folder, basename(original));
  return { name, command: command.length === 1 ? [copy] : [command[0], ...command.slice(1, -1), copy] };
}

describe("sealexec's own file", { skip, concurrency: 2 }, () => {
  /** Bytes of its code that are in memory (proc(5)). */
  const residentCode = ({ pid }: Watching): number =>
    readFileSync(`/proc/${pid}/smaps`, "latin1")
      .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
      .filter((mapping) => / r-xp .*\/sealexec( \(deleted\))?\n/.test(mapping))
      .reduce((sum, mapping) => sum + 1024 * Number(/^Rss: +(\d+) kB$/m.exec(mapping)?.[1]), 0);

  test("removed: the memory of code that has run is given back all the same", () =>
    withPlace(
      { prepare: (folder) => ({ artefact: copyOf(binary, folder) }) },
      async ({ folder, watch, change }) => {
        change();
        await until(() => starts(watch).length === 2);
        // Some looks later nothing of the restart is there any more.
        await sleep(500);
        const before = residentCode(watch);
        assert.ok(before > 0);
        rmSync(join(folder, "sealexec"));
        change();
        await until(() => starts(watch).length === 3);
        await until(() => residentCode(watch) < 1.5 * before);
      },
    ));

  for (const [what, spoil] of [
    ["removed", (file: string) => rmSync(file)],
    [
      "replaced by another version",
      (file: string) => {
        rmSync(file);
        writeFileSync(file, "#!/bin/sh\necho another\n", { mode: 0o755 });
      },
    ],
  ] as const) {
    test(`${what}: a change is followed all the same`, () =>
      withPlace({ prepare: (folder) => ({ artefact: copyOf(binary, folder) }) }, async (place) => {
        spoil(join(place.folder, basename(binary.command.at(-1) ?? "")));
        place.change();
        await until(() => starts(place.watch).length === 2);
        assert.deepEqual(starts(place.watch), ["start A=0", "start A=1"], place.watch.said().join("\n"));
      }));
  }

  test("the npm package upgraded: that is said, and CMD does not run by half of each", () =>
    withPlace({ prepare: (folder) => ({ artefact: copyOf(bundle, folder) }) }, async (place) => {
      const files = readdirSync(place.folder).filter((name) => /^sealexec.*\.cjs$/.test(name));
      assert.ok(files.includes(basename(bundle.command.at(-1) ?? "")));
      for (const file of files.map((name) => join(place.folder, name)))
        writeFileSync(file, readFileSync(file, "utf8").replaceAll('"0.1.0"', '"0.1.1"'));
      place.change();
      let ended: Awaited<Watching["ended"]> | undefined;
      void place.watch.ended.then((how) => (ended = how));
      await until(() => ended !== undefined || starts(place.watch).length > 1);
      assert.deepEqual(starts(place.watch), ["start A=0"]);
      assert.deepEqual(ended, { status: 126, signal: null });
      assert.match(
        place.watch.said().join("\n"),
        /^sealexec: error: command: sealexec 0\.1\.1 is now where the 0\.1\.0 that watches was started from\nsealexec: hint: start/m,
      );
    }));
});

describe("the working directory", { skip, concurrency: 2 }, () => {
  const cmd = ["sh", "-c", 'echo "start A=$A $(readlink /proc/self/cwd)" 2>/dev/null; exec sleep 1000'];
  for (const artefact of ARTEFACTS) {
    for (const what of ["deleted", "replaced"] as const) {
      test(`${artefact.name}: ${what}: CMD is started again in the one it had`, () =>
        withPlace(
          {
            artefact,
            cmd,
            prepare: (folder) => {
              mkdirSync(join(folder, "work"));
              return { cwd: join(folder, "work") };
            },
          },
          async (place) => {
            const work = join(place.folder, "work");
            rmSync(work, { recursive: true });
            if (what === "replaced") mkdirSync(work);
            place.change();
            await until(() => starts(place.watch).length === 2);
            assert.equal(starts(place.watch)[0], `start A=0 ${work}`);
            assert.equal(starts(place.watch)[1], `start A=1 ${work} (deleted)`);
          },
        ));
    }
  }
});

describe("CMD's own file that cannot be executed for a change", { skip, concurrency: 2 }, () => {
  for (const artefact of ARTEFACTS) {
    test(`${artefact.name}: that is said, and tried again until it can be`, () =>
      withPlace(
        {
          artefact,
          prepare: (folder) => {
            copyFileSync("/bin/sh", join(folder, "mine"));
            return { cmd: [join(folder, "mine"), "-c", 'echo "start A=$A"; while :; do sleep 0.1; done'] };
          },
        },
        async ({ watch, folder, change }) => {
          const file = join(folder, "mine");
          renameSync(file, `${file}.good`);
          // As a deployment that is half done leaves it.
          writeFileSync(file, readFileSync(`${file}.good`).subarray(0, 64), { mode: 0o755 });
          change();
          const said =
            /^sealexec: warning: command: \S+\/mine: the kernel refuses to execute it; it is tried again in 1 s\nsealexec: hint: look at its format/m;
          await until(() => said.test(watch.said().join("\n")));
          const saying = (text: string): number => watch.said().filter((line) => line.includes(text)).length;
          await until(() => saying("it is tried again in ") === 2);
          // The way out is the same for each attempt, and is said with the first.
          assert.equal(saying("hint: look at its format"), 1);
          renameSync(`${file}.good`, file);
          await until(() => starts(watch).length === 2);
          assert.deepEqual(starts(watch), ["start A=0", "start A=1"]);
        },
      ));

    test(`${artefact.name}: one that has gone leaves CMD as it is; that it is there again is said of it, not of the sources`, () =>
      withPlace(
        {
          artefact,
          prepare: (folder) => {
            copyFileSync("/bin/sh", join(folder, "mine"));
            return { cmd: [join(folder, "mine"), "-c", 'echo "start A=$A"; while :; do sleep 0.1; done'] };
          },
        },
        async ({ watch, folder, change }) => {
          const file = join(folder, "mine");
          renameSync(file, `${file}.good`);
          change();
          const said = /^sealexec: warning: command: \S+\/mine: .*; CMD goes on as it is$/m;
          await until(() => said.test(watch.said().join("\n")));
          renameSync(`${file}.good`, file);
          await until(() => starts(watch).length === 2);
          const notices = watch.said().filter((line) => line.startsWith("sealexec: notice: "));
          assert.equal(notices[0], "sealexec: notice: CMD can be executed again");
          assert.match(notices[1] ?? "", /has changed: CMD is restarted$/);
          assert.equal(notices.length, 2);
        },
      ));
  }
});

const TOO_MANY = [
  {
    what: "it has no place",
    limit: () => 1,
    reason: /^sealexec: warning: command: \S+\/sh: no process can be started for it; it is tried again in /,
  },
  {
    what: "its threads have no place",
    // CMD's own place is free when it has been ended.
    limit: (watcher: number) => readdirSync(`/proc/${watcher}/task`).length + 1,
    // The runtime's own threads come and go: there may be no place for the process either.
    reason:
      /^sealexec: warning: command: \S+\/sh: (?:it was not executed: the process that was started for it ended with status 134 before that|no process can be started for it); it is tried again in /,
  },
];

describe("a process that cannot be started", { skip: skip || skipReason(programs, "prlimit") }, () => {
  for (const [artefact, least] of [
    [binary, 256],
    [bundle, 128],
  ] as const) {
    test(`${artefact.name}: with a hard limit of open files that is too low, is said before anything is asked`, () =>
      withFolder(async (folder) => {
        const file = join(folder, "app.env");
        writeFileSync(file, "A=1\n");
        const run = (limit: number, from: string) =>
          sealexec(["run", "--watch", "--from", from, "--", "sh", "-c", "exit 5"], {
            artefact,
            prefix: ["prlimit", `--nofile=${limit}:${limit}`],
            env: { AWS_EC2_METADATA_DISABLED: "true" },
          });
        // Each of them once ended otherwise.
        for (const limit of artefact === binary ? [252, 253] : [24, 28]) {
          const low = await run(limit, "s3://app-secrets/app.env");
          assert.equal(low.status, 78, low.stderr);
          const said = `sealexec: error: --watch: the hard limit of open files is ${limit}, and it takes ${least} or more\nsealexec: hint: raise it`;
          assert.ok(low.stderr.startsWith(said), low.stderr);
        }
        const enough = await run(least, `env-file:${file}`);
        assert.deepEqual([enough.status, enough.stderr], [5, ""]);
      }));
  }

  for (const artefact of ARTEFACTS) {
    // root, and whoever has its capabilities, has no limit of processes.
    const skipUser = !isRoot
      ? "needs root"
      : canUserRun(artefact)
        ? false
        : "uid 1000 may not run the artefact";
    for (const { what, limit, reason } of TOO_MANY) {
      test(
        `${artefact.name}: for a change, because there are too many, ${what}: that is said, and tried again until one can be`,
        { skip: skipUser || skipReason(programs, "setpriv", "prlimit") },
        () => {
          // It has no other process.
          const user = String(1_000_000_000 + process.pid);
          const asUser = ["--reuid", user, "--regid", user, "--clear-groups"];
          const command = ["setpriv", ...asUser, ...artefact.command] as const;
          return withPlace({ artefact: { name: artefact.name, command } }, async ({ watch, change }) => {
            const limitProcesses = (count: number): void => {
              // A container's root may not do it for another.
              const words = [...asUser, "prlimit", `--pid=${watch.pid}`, `--nproc=${count}:`];
              execFileSync("setpriv", words);
            };
            limitProcesses(limit(watch.pid));
            change();
            await until(() => watch.said().some((line) => line.endsWith("it is tried again in 2 s")));
            assert.deepEqual(starts(watch), ["start A=0"]);
            assert.deepEqual(
              watch.said().flatMap((line) => (reason.test(line) ? [line.replace(reason, "")] : [])),
              ["1 s", "2 s"],
            );
            const hint = /^sealexec: hint: look at the limits of processes and memory/m;
            await until(() => hint.test(watch.said().join("\n")));
            limitProcesses(1000);
            await until(() => starts(watch).length === 2);
            assert.deepEqual(starts(watch), ["start A=0", "start A=1"]);
          });
        },
      );
    }
  }
});

describe(
  "a terminal that closes",
  { skip: skip || skipReason(programs) || (isRoot ? false : "needs root") },
  () => {
    if (programs === undefined) return;
    test("nohup: sealexec and CMD go on, and HUP means a look", () =>
      withScene(
        programs,
        { leader: ["sh", "-c", "trap '' HUP; ./job $W $LOG deaf & exec cat"] },
        async (scene) => {
          await scene.noted("start");
          const { sealexec: watcher } = scene;
          scene.pty.hangUp();
          await scene.until(() => !scene.pty.isOpen, "the leader of the session has ended");
          await scene.change();
          await scene.noted("start", 2);
          process.kill(watcher, "SIGTERM");
        },
      ));

    test("a CMD that outlives HUP is followed on", () =>
      withScene(
        programs,
        { witness: ["deaf", "catch", "1"], flags: ["--every", "200ms", "--grace", "300ms"] },
        async (scene) => {
          const { sealexec: watcher } = scene;
          scene.pty.hangUp();
          await scene.noted("signal 01");
          await scene.change();
          await scene.noted("start", 2);
          process.kill(watcher, "SIGTERM");
        },
      ));
  },
);

describe("what CMD is told of its process", { skip }, () => {
  const SAY = ["sh", "-c", 'echo "$LISTEN_PID $LISTEN_FDS $WATCHDOG_PID $$"'];
  for (const { name, command } of ARTEFACTS) {
    test(`${name}: LISTEN_PID and WATCHDOG_PID that name sealexec name CMD`, () =>
      withPlace(
        {
          artefact: {
            name,
            command: ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 WATCHDOG_PID=$$ exec "$@"', "sh", ...command],
          },
          cmd: SAY,
        },
        async ({ watch }) => {
          const [listen, fds, watchdog, own] = (watch.lines()[0] ?? "").split(" ");
          assert.deepEqual([listen, fds, watchdog], [own, "1", own]);
          await watch.ended;
        },
      ));
  }

  test("those that name another process stay", () =>
    withPlace({ cmd: SAY, env: { LISTEN_PID: "1", WATCHDOG_PID: "1" } }, async ({ watch }) => {
      assert.match(watch.lines()[0] ?? "", /^1 {2}1 \d+$/);
      await watch.ended;
    }));
});

describe("a busy machine", { skip, concurrency: 2 }, () => {
  test("others who write into a mounted folder all the time do not keep a change unseen", () =>
    withPlace({ flags: ["--every", "1h"] }, async ({ folder, watch, change }) => {
      // A process of its own: timers of this one may be late, and it would be quiet meanwhile.
      const noise = spawn("sh", ["-c", "while :; do echo >noise; done"], { cwd: join(folder, "mounted") });
      try {
        await until(() => existsSync(join(folder, "mounted", "noise")));
        change();
        await until(() => starts(watch).length === 2);
      } finally {
        noise.kill("SIGKILL");
      }
    }));

  test("waiting for what CMD has left in its group does not read of every process again and again", () =>
    withPlace(
      {
        cmd: [
          "sh",
          "-c",
          'echo "start A=$A"; (trap "" TERM; exec sleep 30) >/dev/null 2>&1 &  exec sleep 1000',
        ],
        flags: ["--grace", "2s"],
      },
      async ({ watch, change }) => {
        const others = Array.from({ length: 100 }, () => spawn("sleep", ["1000"], { stdio: "ignore" }));
        try {
          const reads = (): number =>
            Number(/^syscr: (\d+)$/m.exec(readFileSync(`/proc/${watch.pid}/io`, "latin1"))?.[1]);
          const before = reads();
          assert.equal(childrenOf(watch.pid).length, 1);
          change();
          await until(() => starts(watch).length === 2);
          // For two seconds it is looked at every 20 ms: of two processes, not of more than a hundred.
          assert.ok(reads() - before < 3_000, `${reads() - before} reads`);
        } finally {
          for (const other of others) other.kill("SIGKILL");
        }
      },
    ));
});
