/**
 * What CMD finds under `run --watch` is what it finds when it is started directly, but for what is listed here: it is a child, in a
 * process group of its own. The same again after a restart.
 */
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { describe, test } from "node:test";
import { Stage, differences, parseReport } from "../exec/probe.ts";
import type { Scene as Setting } from "../exec/probe.ts";
import { asUser, buildPrograms, canUserRun, firstInNamespace, isRoot, skipReason } from "../exec/programs.ts";
import { until } from "../expect.ts";
import { ARTEFACTS, BINARY } from "../harness.ts";
import { statOf } from "./pty.ts";
import { PLACES, withScene } from "./watched.ts";

interface Case extends Setting {
  readonly name: string;
  /** what differs here, beyond OF_A_CHILD */
  readonly known?: readonly RegExp[];
}

const OF_A_CHILD = [
  /^[-+] parent-death signal: /,
  /^- process group: (the parent's group|0 \(outside\))$/,
  // On the terminal of whoever runs the tests it is sealexec's.
  statOf(process.pid)?.terminal === 0 ? /^\+ process group: self$/ : /^\+ process group: /,
];
// `script` and setsid(2): whoever leads the session is not CMD.
const SESSION = [/^- session: self$/, /^\+ session: the parent$/];
const TERMINAL = [
  ...SESSION,
  // There CMD shares sealexec's process group.
  /^- process group: self$/,
  /^\+ process group: the parent$/,
  /^[-+] terminal \d: .* foreground (self|the parent), session (self|the parent)$/,
  // The shell's stty was a child of the process that became sealexec.
  /^[-+] children before: /,
];

const CASES: readonly Case[] = [
  { name: "standard input is a pipe", input: "input" },
  { name: "standard input is /dev/null" },
  { name: "on a terminal", terminal: "stty -echo -icanon rows 40 cols 132", known: TERMINAL },
  { name: "PID 1", prefix: firstInNamespace },
  { name: "uid 1000", prefix: asUser },
  {
    name: "HUP, USR1, TERM, CHLD and a real-time signal ignored, as by nohup",
    state: words("ignore 1 ignore 10 ignore 15 ignore 17 ignore 34"),
  },
  {
    name: "PIPE and XFSZ ignored",
    state: words("ignore 13 ignore 25"),
    // As without --watch (docs/exec.md).
    known: [/^- SigIgn: 0000000001001000$/, /^\+ SigIgn: 0000000000000000$/],
  },
  { name: "signals blocked", state: words("block 10 block 12 block 15 block 2 block 14 block 34") },
  { name: "files 3 and 5 open", state: words("pipe 3 null 5") },
  {
    name: "files 4, 10 and 251 open: /dev/null, socket, pipe",
    state: words("null 4 socket 10 nonblock 10 pipe 251"),
  },
  {
    name: "file 300 open",
    state: words("pipe 300"),
    known: [/^- fd 300: /],
  },
  { name: "O_NONBLOCK set on 0, 1 and 2", input: "input", state: words("nonblock 0 nonblock 1 nonblock 2") },
  { name: "standard input closed", state: words("closefd 0") },
  { name: "standard error closed", state: words("closefd 2") },
  { name: "all three closed", state: words("closefd 0 closefd 1 closefd 2") },
  { name: "umask 027", state: words("umask 027") },
  { name: "a stack limit of 1 MiB", state: words("stack 1048576") },
  {
    name: "a parent with a soft limit of open files",
    prefix: ["prlimit", "--nofile=256:4096", "sh", "-c", '"$@"; exit $?', "sh"],
  },
  {
    name: "as PID 1, a soft limit of open files that is told",
    prefix: [...firstInNamespace, "prlimit", "--nofile=256:4096"],
    flags: words("--nofile 256"),
  },
  { name: "a session of its own", state: words("session"), known: SESSION },
  {
    name: "a parent-death signal, a child subreaper, and an alarm",
    state: words("deathsig 12 subreaper alarm 100"),
    // They are sealexec's: the alarm's signal is forwarded.
    known: [/^[-+] subreaper: [01]$/, /^[-+] timer 0: (runs|off), every 0 s$/],
  },
  { name: "timer slack, oom_score_adj and core files", state: words("slack 123456 oom 500 core") },
  { name: "nice 5", prefix: words("nice -n 5") },
  {
    name: "no_new_privs and no capability",
    prefix: words("setpriv --no-new-privs --bounding-set -all --inh-caps -all"),
  },
  {
    name: "arguments that are empty, or hold options and bytes that are no ASCII",
    args: ["", " ", "--from", "--", "\u00e9\u{1f512}", "\n"],
  },
  {
    name: "a variable twice, entries without = or a name, and bytes that are not UTF-8",
    state: [
      "entry",
      "TWICE=1",
      "entry",
      "TWICE=2",
      "entry",
      "BARE",
      "entry",
      "=C:",
      "entry",
      "BYTES=\\377\\200",
    ],
  },
  { name: "found in PATH", byName: true },
];

function words(text: string): string[] {
  return text.split(" ");
}

const programs = buildPrograms();
const skip =
  skipReason(programs, "setpriv", "prlimit", "script", "nice", "unshare") || (isRoot ? false : "needs root");

describe("CMD finds what it finds without sealexec", { skip }, () => {
  if (programs === undefined) return;
  const stage = new Stage(programs);
  const [binary] = ARTEFACTS;
  for (const { known = [], ...setting } of CASES) {
    test(setting.name, async (context) => {
      assert.ok(binary !== undefined);
      if (setting.prefix === asUser && !canUserRun(binary))
        return context.skip("uid 1000 may not run the artefact");
      const direct = await stage.direct(setting);
      const watched = await stage.through(binary, {
        ...setting,
        flags: ["--watch", ...(setting.flags ?? [])],
      });
      assert.notEqual(watched.pid, watched.startedAs);
      assert.deepEqual(watched.outcome, direct.outcome);
      assert.ok(watched.lines.some((line) => line.startsWith("env: PROBE_ADDED=")));
      const allowed = [...OF_A_CHILD, ...known];
      const unknown = differences(direct, watched).filter((line) => !allowed.some((each) => each.test(line)));
      assert.deepEqual(unknown, []);
    });
  }
});

describe("CMD finds the same when it is started again", { skip, concurrency: 2 }, () => {
  for (const place of PLACES) {
    test(place.name, { skip: place.skip }, () =>
      withScene(async (scene) => {
        const report = `${scene.folder}/report`;
        const state = words(
          "ignore 10 ignore 34 block 12 pipe 3 null 5 closefd 0 umask 027 nonblock 1 entry BYTES=\\377",
        );
        const watched = scene.start({
          place,
          flags: ["--on-exit", "restart"],
          launch: [programs?.launch ?? BINARY, ...state, "--"],
          command: [programs?.probe ?? "", report],
        });
        const reports: string[] = [];
        for (const seconds of [1, 2, 4]) {
          await until(() => watched.stderr.includes(`in ${seconds} s`));
          reports.push(readFileSync(report, "latin1"));
          rmSync(report);
        }
        watched.signal("SIGTERM");
        await watched.ended;
        const [first, ...others] = reports.map((text) => parseReport(text).lines);
        assert.ok(first !== undefined && others.length === 2);
        for (const other of others) assert.deepEqual(other, first);
      }),
    );
  }

  test("arguments that are not UTF-8", () =>
    withScene(async (scene) => {
      // printf of sh makes the byte; a string could not hold it.
      const script = 'exec "$@" "$(printf "a\\377b")"';
      const watched = scene.start({
        flags: [],
        launch: ["sh", "-c", script, "sh"],
        command: ["sh", "-c", 'printf %s "$1" | od -An -tx1', "sh"],
      });
      assert.equal((await watched.ended).status, 0);
      await until(() => watched.stdout !== "");
      assert.equal(watched.stdout.trim(), "61 ff 62");
    }));
});
