/** `run --watch`: a change leads to one restart, or one signal, and never to two CMDs at once. As PID 1 and not. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { buildPrograms, skipReason } from "../exec/programs.ts";
import { until } from "../expect.ts";
import { PLACES, Recording, processesWith, stateOf, withScene } from "./watched.ts";
import type { Place, Scene, Watched } from "./watched.ts";

const programs = buildPrograms();
const skip = skipReason(programs);

interface Variant {
  readonly name: string;
  readonly changes: number;
  readonly words: readonly string[];
  readonly flags?: readonly string[];
  /** what it leaves behind is sealexec's child from the beginning */
  readonly isOrphaned?: true;
  /** lines that each CMD writes but for those of its start */
  readonly each: readonly string[];
}

const VARIANTS: readonly Variant[] = [
  { name: "ends at TERM at once", changes: 100, words: ["end", "15", "0"], each: ["15 parent", "end"] },
  {
    name: "takes 300 ms to end",
    changes: 5,
    words: ["end", "15", "0", "slow", "300"],
    each: ["15 parent", "end"],
  },
  { name: "ignores TERM", changes: 5, words: ["deaf"], flags: ["--grace", "300ms"], each: [] },
  {
    name: "leaves a process in its group that takes 100 ms to end",
    changes: 10,
    words: ["end", "15", "0", "heir", "100"],
    each: ["15 parent", "end"],
  },
  {
    name: "leaves a process in its group that ignores TERM",
    changes: 5,
    words: ["end", "15", "0", "deafheir"],
    flags: ["--grace", "300ms"],
    each: ["15 parent", "end"],
  },
  {
    name: "ignores TERM, as does a process in its group",
    changes: 5,
    words: ["deaf", "deafheir"],
    flags: ["--grace", "200ms"],
    each: [],
  },
  {
    name: "leaves a daemon in a session of its own that takes 100 ms to end",
    changes: 10,
    words: ["end", "15", "0", "daemon", "heir", "100"],
    each: ["15 parent", "end"],
    isOrphaned: true,
  },
  {
    name: "ignores TERM, as does a daemon in a session of its own",
    changes: 5,
    words: ["deaf", "daemon", "deafheir"],
    flags: ["--grace", "200ms"],
    each: [],
    isOrphaned: true,
  },
  // The order in which two pending signals are handled is the kernel's.
  { name: "has stopped", changes: 10, words: ["end", "15", "0", "stop"], each: ["15 parent", "end"] },
];

for (const place of PLACES) {
  describe(`a change, ${place.name}`, { skip: skip || place.skip, concurrency: 2 }, () => {
    for (const variant of VARIANTS) {
      const { changes, name } = variant;
      test(`${changes} are ${changes} restarts, never two at once: CMD ${name}`, () =>
        withScene((scene) => restarts(scene, place, variant)));
    }

    test("CMD that ends by itself is started again when what it left in its group is gone", () =>
      withScene(async (scene) => {
        const flags = ["--on-exit", "restart", "--grace", "200ms"];
        const words = ["lock", `${scene.folder}/lock`, "end", "10", "1", "deafheir"];
        const { watched, recording } = await recorder(scene, place, flags, words);
        watched.signal("SIGUSR1");
        await until(() => recording.count("start") + recording.count("busy") > 1);
        assert.equal(recording.count("busy"), 0);
      }));

    test("what CMD left in its group is ended at once, not only when CMD is started again", () =>
      withScene(async (scene) => {
        const words = ["end", "10", "1", "heir", "0"];
        const { watched, recording } = await recorder(scene, place, ["--on-exit", "restart"], words);
        watched.signal("SIGUSR1");
        await until(() => watched.stderr.includes("started again in 1 s"));
        // It never is, so that nobody else would end the heir.
        watched.signal("SIGTERM");
        assert.deepEqual(await watched.exited.then(() => watched.hasEnded), true);
        await until(() => processesWith(watched.mark).length === 0);
        assert.equal(recording.count("start"), 1);
      }));

    test("100 are 100 signals, and no restart", () =>
      withScene(async (scene) => {
        const { watched, recording } = await recorder(scene, place, ["--on-change", "signal:USR1"], []);
        for (let changes = 1; changes <= 100; changes += 1) {
          scene.change();
          watched.signal("SIGHUP");
          await recording.has("10", changes);
        }
        assert.deepEqual(recording.signals, Array(100).fill("10 parent"));
        assert.equal(recording.count("start"), 1);
      }));

    test("changes faster than they are looked at: the last is what CMD has in the end, and never two at once", () =>
      withScene(async (scene) => {
        const flags = ["--every", "100ms"];
        const words = ["lock", `${scene.folder}/lock`, "end", "15", "0"];
        const { watched, recording } = await recorder(scene, place, flags, words);
        for (let changes = 1; changes <= 100; changes += 1) {
          scene.change();
          if (changes % 3 === 0) watched.signal("SIGHUP");
          if (changes % 10 === 0) await recording.has("start", 1 + changes / 20);
        }
        const last = `A=${scene.revision}`;
        await until(() => processesWith(last).some((pid) => watched.children.includes(pid)));
        // The last one is there a moment before it has noted so.
        await until(() => recording.count("end") === recording.count("start") - 1);
        assert.equal(recording.count("busy"), 0);
        assert.ok(recording.count("start") <= 101);
      }));

    test("--on-change exit: CMD gets TERM, and it ends with 79", () =>
      withScene(async (scene) => {
        const { watched, recording } = await recorder(
          scene,
          place,
          ["--on-change", "exit"],
          ["end", "15", "3"],
        );
        scene.change();
        watched.signal("SIGHUP");
        assert.deepEqual(await watched.ended, { status: 79, by: null });
        assert.deepEqual(recording.signals, ["15 parent"]);
        assert.equal(processesWith(watched.mark).length, 0);
      }));

    test("--on-change exit: CMD that ignores TERM is killed with its group, and it ends with 79", () =>
      withScene(async (scene) => {
        const flags = ["--on-change", "exit", "--grace", "200ms"];
        const { watched } = await recorder(scene, place, flags, ["deaf", "deafheir"]);
        scene.change();
        watched.signal("SIGHUP");
        assert.deepEqual(await watched.ended, { status: 79, by: null });
        assert.equal(processesWith(watched.mark).length, 0);
      }));

    test("--on-change exit, and a TERM while CMD is ended: CMD's status", () =>
      withScene(async (scene) => {
        const words = ["end", "15", "3", "slow", "300"];
        const { watched, recording } = await recorder(scene, place, ["--on-change", "exit"], words);
        scene.change();
        watched.signal("SIGHUP");
        await recording.has("15");
        watched.signal("SIGTERM");
        assert.deepEqual(await watched.ended, { status: 3, by: null });
      }));

    test("CMD that is no longer there: the old one goes on, and a warning says so", () =>
      withScene(async (scene) => {
        const { watched, recording } = await recorder(scene, place, [], ["end", "15", "0"], true);
        scene.removeCommand();
        scene.change();
        watched.signal("SIGHUP");
        await until(() => watched.stderr.includes("CMD goes on as it is"));
        assert.match(watched.stderr, /^sealexec: warning: command: \S*mine: [^\n]*; CMD goes on as it is\n/);
        watched.signal("SIGUSR1");
        await recording.has("10");
        assert.deepEqual(recording.signals, ["10 parent"]);
        // It is back: the change, still waiting, is taken.
        scene.copyCommand(programs?.recorder ?? "");
        watched.signal("SIGHUP");
        await recording.has("start", 2);
      }));
  });
}

test("what CMD leaves behind and ends at once is waited for, and does not hold a restart up", { skip }, () =>
  withScene(async (scene) => {
    const file = `${scene.folder}/recording`;
    const recording = new Recording(file);
    const command = [programs?.recorder ?? "", file, "end", "15", "0", "heir", "0"];
    const watched = scene.start({ flags: ["--grace", "10m"], command });
    await recording.has("start");
    scene.change();
    watched.signal("SIGHUP");
    await recording.has("start", 2);
    assert.equal(watched.children.filter((pid) => stateOf(pid) === "Z").length, 0);
  }),
);

async function restarts(
  scene: Scene,
  place: Place,
  { changes, words, flags = [], each, isOrphaned }: Variant,
): Promise<void> {
  const lock = ["lock", `${scene.folder}/lock`];
  const { watched, recording } = await recorder(scene, place, flags, [...lock, ...words]);
  for (let count = 1; count <= changes; count += 1) {
    scene.change();
    watched.signal("SIGHUP");
    await until(() => recording.count("start") + recording.count("busy") > count);
  }
  const expected = Array.from({ length: changes }, () => ["start", ...each]).flat();
  assert.deepEqual(
    recording.lines
      .map((line) => line.replace(/^(start|end|busy) \d+$/, "$1"))
      .filter((line) => !["18 parent", "17 kernel"].includes(line)),
    [...expected, "start"],
  );
  // The one that runs is the only child, and its heir in the group that it leads; or both are.
  await until(() => watched.children.length === (isOrphaned ? 2 : 1));
}

async function recorder(
  scene: Scene,
  place: Place,
  flags: readonly string[],
  words: readonly string[],
  isCopy = false,
): Promise<{ readonly watched: Watched; readonly recording: Recording }> {
  const file = `${scene.folder}/recording`;
  const recording = new Recording(file);
  const program = isCopy ? scene.copyCommand(programs?.recorder ?? "") : (programs?.recorder ?? "");
  const watched = scene.start({ place, flags, command: [program, file, ...words] });
  await recording.has("start");
  return { watched, recording };
}
