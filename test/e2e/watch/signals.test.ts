/** `run --watch`: what becomes of each signal that sealexec is sent, as PID 1 and not. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { buildPrograms, skipReason } from "../exec/programs.ts";
import { until } from "../expect.ts";
import { BINARY } from "../harness.ts";
import { FIRST, PLACES, PLAIN, Recording, processesWith, stateOf, withScene } from "./watched.ts";
import type { Place, Scene, Start, Watched } from "./watched.ts";

const programs = buildPrograms();
const skip = skipReason(programs);
const { SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ, SIGCHLD, SIGCONT, SIGPWR } =
  constants.signals;

/** signal(7): the 31, but KILL and STOP, those of faults, and what is said about each of the rest below. */
const FAULTS = [4, 5, 6, 7, 8, 11, 16, 31];
const FORWARDED = Array.from({ length: 31 }, (_, index) => index + 1).filter(
  (number) => ![9, 19, SIGHUP, SIGCHLD, SIGPWR, ...FAULTS].includes(number),
);
/** By which a PID 1 is told to end that is systemd. */
const HALT = 37;

interface Recorded {
  readonly watched: Watched;
  readonly recording: Recording;
}

/** A recorder as CMD, running. */
async function record(
  scene: Scene,
  place: Place,
  flags: readonly string[] = [],
  words: readonly string[] = [],
  more: Partial<Start> = {},
): Promise<Recorded> {
  const file = `${scene.folder}/recording`;
  const recording = new Recording(file);
  const command = [programs?.recorder ?? "", file, ...words];
  const watched = scene.start({ place, flags, command, ...more });
  await recording.has("start");
  return { watched, recording };
}

for (const place of PLACES) {
  describe(`a signal to sealexec, ${place.name}`, { skip: skip || place.skip, concurrency: 3 }, () => {
    test("each that can be caught goes to CMD once, from sealexec", () =>
      withScene(async (scene) => {
        const { watched, recording } = await record(scene, place);
        // Twice: a handler that stands for one delivery only is set up again.
        const once = [...FORWARDED, ...(place === FIRST ? [HALT] : [])];
        const numbers = [...once, ...once];
        for (const [index, number] of numbers.entries()) {
          watched.signal(number);
          await until(() => recording.signals.length > index);
        }
        assert.deepEqual(
          recording.signals,
          numbers.map((number) => `${number} parent`),
        );
        assert.equal(watched.hasEnded, false);
      }));

    test("HUP: one look at the source, nothing for CMD", () =>
      withScene(async (scene) => {
        const { watched, recording } = await record(scene, place);
        const looks = scene.aws.count("s3");
        watched.signal(SIGHUP);
        await until(() => scene.aws.count("s3") > looks);
        await onlyForwards(watched, recording, SIGUSR1);
        assert.equal(scene.aws.count("s3"), looks + 1);
      }));

    test("CHLD: nothing", () =>
      withScene(async (scene) => {
        const { watched, recording } = await record(scene, place);
        watched.signal(SIGCHLD);
        await onlyForwards(watched, recording, SIGUSR1);
      }));

    test("PWR: kept by the runtime, which goes on collecting its garbage", () =>
      withScene(async (scene) => {
        const { watched, recording } = await record(scene, place);
        for (let times = 1; times <= 3; times += 1) {
          const looks = scene.aws.count("s3");
          for (let more = 0; more < times; more += 1) watched.signal(SIGPWR);
          watched.signal(SIGHUP);
          await until(() => scene.aws.count("s3") > looks);
        }
        await onlyForwards(watched, recording, SIGUSR1);
      }));

    test("CONT: CMD goes on", () =>
      withScene(async (scene) => {
        const { watched, recording } = await record(scene, place);
        const { child } = watched;
        process.kill(child, "SIGSTOP");
        await until(() => stateOf(child) === "T");
        // As in a shell: where CMD has stopped, so may sealexec.
        watched.signal(SIGCONT);
        await until(() => stateOf(child) !== "T");
        await recording.has(String(SIGCONT));
        await onlyForwards(watched, recording, SIGUSR1, [`${SIGCONT} parent`]);
      }));

    test("STOP: sealexec alone stops, and nothing is lost", () =>
      withScene(async (scene) => {
        const { watched, recording } = await record(scene, place, ["--on-change", "signal:USR2"]);
        const { child } = watched;
        watched.signal("SIGSTOP");
        await until(() => stateOf(watched.pid) === "T");
        scene.change();
        for (const number of [SIGUSR1, SIGHUP]) watched.signal(number);
        assert.notEqual(stateOf(child), "T");
        assert.deepEqual(recording.signals, []);
        watched.signal(SIGCONT);
        for (const number of [SIGUSR1, SIGUSR2, SIGCONT]) await recording.has(String(number));
        assert.deepEqual(
          [...recording.signals].sort(),
          [SIGUSR1, SIGUSR2, SIGCONT].map((number) => `${number} parent`),
        );
      }));

    test("PIPE of a write of its own to a closed standard error: nothing for CMD; of somebody else: forwarded", () =>
      withScene(async (scene) => {
        // With -v it has written before CMD runs, and PIPE was ignored then.
        const flags = ["--on-change", "signal:USR1", "-v"];
        const { watched, recording } = await record(scene, place, flags, [], { closesStderr: true });
        for (let times = 1; times <= 3; times += 1) {
          scene.change();
          watched.signal(SIGHUP);
          await recording.has(String(SIGUSR1), times);
          watched.signal(SIGPIPE);
          await recording.has(String(SIGPIPE), times);
        }
        const round = [`${SIGUSR1} parent`, `${SIGPIPE} parent`];
        assert.deepEqual(recording.signals, [...round, ...round, ...round]);
      }));

    test("XFSZ of a write of its own to a standard error that is full: nothing for CMD", () =>
      withScene(async (scene) => {
        const full = `${scene.folder}/full`;
        writeFileSync(full, Buffer.alloc(1 << 20));
        const launch = ["sh", "-c", 'file=$1; shift; ulimit -f 1024; exec "$@" 2>>"$file"', "sh", full];
        const flags = ["--on-change", "signal:USR1"];
        const { watched, recording } = await record(scene, place, flags, [], { launch });
        scene.change();
        watched.signal(SIGHUP);
        await recording.has(String(SIGUSR1));
        watched.signal(SIGXFSZ);
        await recording.has(String(SIGXFSZ));
        assert.deepEqual(recording.signals, [`${SIGUSR1} parent`, `${SIGXFSZ} parent`]);
      }));

    test("ten in a row: at least one arrives, and none too many", () =>
      withScene(async (scene) => {
        const { watched, recording } = await record(scene, place);
        for (let times = 0; times < 10; times += 1) watched.signal(SIGUSR2);
        await recording.has(String(SIGUSR2));
        watched.signal(SIGUSR1);
        await recording.has(String(SIGUSR1));
        // A standard signal that is pending already is not queued (signal(7)).
        assert.ok(recording.count(String(SIGUSR2)) <= 10);
      }));

    test("TERM while CMD is stopped for a restart: it ends, with CMD's status", () =>
      withScene(async (scene) => {
        const { watched, recording } = await record(scene, place, [], ["end", "15", "3", "slow", "300"]);
        scene.change();
        watched.signal(SIGHUP);
        await recording.has(String(SIGTERM));
        watched.signal(SIGTERM);
        await until(() => watched.hasEnded || recording.count("start") > 1);
        assert.equal(recording.count("start"), 1);
        assert.deepEqual(await watched.ended, { status: 3, by: null });
      }));

    test("TERM, and a change while CMD takes its time to end: no restart, and no second TERM", () =>
      withScene(async (scene) => {
        const { watched, recording } = await record(scene, place, [], ["end", "15", "3", "slow", "500"]);
        watched.signal(SIGTERM);
        await recording.has(String(SIGTERM));
        const decrypted = scene.aws.count("kms", "Decrypt");
        scene.change();
        watched.signal(SIGHUP);
        await until(() => scene.aws.count("kms", "Decrypt") > decrypted);
        await until(() => watched.hasEnded || recording.count("start") > 1);
        assert.equal(recording.count("start"), 1);
        assert.deepEqual(await watched.ended, { status: 3, by: null });
        assert.deepEqual(recording.signals, [`${SIGTERM} parent`]);
      }));

    test("INT that CMD handles: it goes on, is restarted by the next change, and started again after a crash", () =>
      withScene(async (scene) => {
        const flags = ["--grace", "200ms", "--on-exit", "restart"];
        const { watched, recording } = await record(scene, place, flags, [
          "end",
          "15",
          "0",
          "end",
          "10",
          "1",
        ]);
        watched.signal(SIGINT);
        await recording.has(String(SIGINT));
        scene.change();
        watched.signal(SIGHUP);
        await recording.has("start", 2);
        watched.signal(SIGUSR1);
        await recording.has("start", 3);
        assert.deepEqual(recording.signals, [`${SIGINT} parent`, `${SIGTERM} parent`, `${SIGUSR1} parent`]);
        watched.signal(SIGTERM);
        assert.deepEqual(await watched.ended, { status: 0, by: null });
      }));

    test("TERM that CMD outlives: it is neither restarted by a change, nor started again when it ends", () =>
      withScene(async (scene) => {
        const flags = ["--grace", "100ms", "--on-exit", "restart"];
        const { watched, recording } = await record(scene, place, flags, ["end", "10", "4"]);
        watched.signal(SIGTERM);
        await recording.has(String(SIGTERM));
        await sleep(300);
        const decrypted = scene.aws.count("kms", "Decrypt");
        scene.change();
        watched.signal(SIGHUP);
        await until(() => watched.stderr.includes("CMD is restarted"));
        assert.equal(scene.aws.count("kms", "Decrypt"), decrypted + 1);
        // Whoever would restart it has had its time for a TERM of its own.
        await sleep(300);
        assert.deepEqual(recording.signals, [`${SIGTERM} parent`]);
        watched.signal(SIGUSR1);
        await until(() => watched.hasEnded || recording.count("start") > 1);
        assert.equal(recording.count("start"), 1);
        assert.deepEqual(await watched.ended, { status: 4, by: null });
      }));

    test("INT while CMD is stopped for a restart: it ends for good, however long that takes", () =>
      withScene(async (scene) => {
        const { watched, recording } = await record(scene, place, ["--grace", "300ms"]);
        scene.change();
        watched.signal(SIGHUP);
        await recording.has(String(SIGTERM));
        watched.signal(SIGINT);
        await recording.has(String(SIGINT));
        // The grace is long over when sealexec goes on, for the INT as well.
        watched.signal("SIGSTOP");
        await sleep(900);
        watched.signal("SIGCONT");
        await until(() => watched.hasEnded || recording.count("start") > 1);
        assert.equal(recording.count("start"), 1);
        assert.deepEqual(await watched.ended, { status: 128 + 9, by: null });
      }));

    test("INT, TERM and QUIT while CMD is waited for to be started again: 128+n, and it is not", async () => {
      const ends = await Promise.all(
        (["SIGINT", "SIGTERM", "SIGQUIT"] as const).map((signal) =>
          withScene(async (scene) => {
            const started = `${scene.folder}/started`;
            const command = ["sh", "-c", 'echo "start 0" >>"$0"; exit 5', started];
            const watched = scene.start({ place, flags: ["--on-exit", "restart"], command });
            await until(() => watched.stderr.includes("started again in 2 s"));
            watched.signal(signal);
            return { ...(await watched.ended), starts: new Recording(started).count("start") };
          }),
        ),
      );
      assert.deepEqual(
        ends,
        [130, 143, 131].map((status) => ({ status, by: null, starts: 2 })),
      );
    });

    test("before CMD runs for the first time: 128+n, as without --watch", async () => {
      for (const signal of ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const) {
        await withScene(async (scene) => {
          const fault = scene.aws.faults.add({ service: "kms", operation: "Decrypt", action: "silent" });
          const watched = scene.start({ place, command: ["false"] });
          await until(() => fault.hits > 0);
          watched.signal(signal);
          assert.deepEqual(await watched.ended, { status: 128 + constants.signals[signal], by: null });
          assert.equal(watched.stderr, "");
        });
      }
    });
  });
}

/** What came before had no effect on CMD but these lines: a signal that is forwarded is the next that it gets. */
async function onlyForwards(
  watched: Watched,
  recording: Recording,
  number: number,
  before: readonly string[] = [],
): Promise<void> {
  watched.signal(number);
  await recording.has(String(number));
  assert.deepEqual(recording.signals, [...before, `${number} parent`]);
  assert.equal(watched.hasEnded, false);
}

describe("SIGKILL", { skip, concurrency: 2 }, () => {
  test("ends sealexec; CMD gets TERM, and nothing is left", () =>
    withScene(async (scene) => {
      const { watched, recording } = await record(scene, PLAIN, [], ["end", "15", "0"]);
      watched.signal("SIGKILL");
      assert.deepEqual(await watched.ended, { status: null, by: "SIGKILL" });
      await recording.has("end");
      await until(() => processesWith(watched.mark).length === 0);
      assert.match(recording.signals[0] ?? "", /^15 /);
    }));

  test("to PID 1 from within does nothing", { skip: FIRST.skip }, () =>
    withScene(async (scene) => {
      const watched = scene.start({ place: FIRST, command: ["sh", "-c", "kill -KILL $PPID; exit 7"] });
      assert.deepEqual(await watched.ended, { status: 7, by: null });
    }),
  );

  test("to PID 1 from without ends all, CMD that ignores TERM among it", { skip: FIRST.skip }, () =>
    withScene(async (scene) => {
      const { watched } = await record(scene, FIRST, [], ["deaf"]);
      assert.equal(processesWith(watched.mark).length, 3);
      watched.signal("SIGKILL");
      await watched.ended;
      await until(() => processesWith(watched.mark).length === 0);
    }),
  );
});

describe("SIGSTOP to CMD", { skip }, () => {
  test("without a terminal stops CMD alone, and a change reaches it", () =>
    withScene(async (scene) => {
      const { watched, recording } = await record(scene, PLAIN, [], ["end", "15", "0"]);
      const { child } = watched;
      process.kill(child, "SIGSTOP");
      await until(() => stateOf(child) === "T");
      scene.change();
      watched.signal("SIGHUP");
      await recording.has("start", 2);
      assert.notEqual(stateOf(watched.pid), "T");
      assert.equal(recording.signals[0], "15 parent");
    }));
});

describe("SIGTERM at any moment of the start", { skip }, () => {
  test("ends it, and leaves nothing", () =>
    withScene(async (scene) => {
      const ends = new Map<string, number>();
      for (let delayMs = 0; delayMs < 60; delayMs += 2) {
        const watched = scene.start({ command: ["sleep", "60"] });
        await sleep(delayMs);
        watched.signal(SIGTERM);
        const { status, by } = await watched.ended;
        const end = by ?? String(status);
        ends.set(end, (ends.get(end) ?? 0) + 1);
        await until(() => processesWith(watched.mark).length === 0);
      }
      // By default until a handler stands, by the handler then, and CMD's own death as 128+n.
      assert.deepEqual(
        [...ends.keys()].filter((end) => end !== "SIGTERM" && end !== "143"),
        [],
      );
    }));
});

describe("signals that were ignored when sealexec was started", { skip }, () => {
  test("stay ignored, for sealexec and for CMD, real-time ones too", () =>
    withScene(async (scene) => {
      const ignored = [SIGINT, SIGTERM, SIGUSR2, 35];
      const state = ignored.flatMap((number) => ["ignore", String(number)]);
      const script = 'trap "exit 3" USR1; grep SigIgn /proc/self/status; while :; do sleep 0.05; done';
      const watched = scene.start({
        launch: [programs?.launch ?? BINARY, ...state, "--"],
        command: ["sh", "-c", script],
      });
      await until(() => watched.stdout.endsWith("\n"));
      const mask = ignored.reduce((bits, number) => bits | (1n << BigInt(number - 1)), 0n);
      // Forwarding them would make no difference to CMD, which ignores them; catching them would make one to sealexec.
      const [, own = "0"] =
        /^SigIgn:\t(\S+)$/m.exec(readFileSync(`/proc/${watched.pid}/status`, "latin1")) ?? [];
      assert.equal(BigInt(`0x${own}`) & mask, mask, own);
      for (const number of ignored) watched.signal(number);
      watched.signal(SIGUSR1);
      assert.deepEqual(await watched.ended, { status: 3, by: null });
      assert.equal(watched.stdout, `SigIgn:\t${mask.toString(16).padStart(16, "0")}\n`);
    }));
});
