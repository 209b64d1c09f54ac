/** `run --watch`: where sealexec is killed, at whatever moment, CMD gets TERM, and no process is left behind. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { buildPrograms, isRoot, skipReason } from "../exec/programs.ts";
import { until } from "../expect.ts";
import { PLACES, Recording, commandOf, processesWith, stateOf, withScene } from "./watched.ts";
import type { Place, Scene, Watched } from "./watched.ts";

const programs = buildPrograms();
// The environment of a process that is not dumpable is root's to read.
const skip = skipReason(programs) || (isRoot ? false : "needs root");

describe("sealexec is killed", { concurrency: 2 }, () => {
  for (const place of PLACES) {
    describe(`SIGKILL to sealexec, ${place.name}`, { skip: skip || place.skip, concurrency: 2 }, () => {
      test("at any moment of the start", () =>
        withScene(async (scene) => {
          await untilCmdRuns(4, async (delayMs) => {
            const watched = scene.start({ place, command: ["sleep", "60"] });
            await sleep(delayMs);
            await until(() => watched.pid > 1);
            const ran = runsCmd(watched);
            watched.signal("SIGKILL");
            await watched.exited;
            await nothingLeft(watched.mark, `killed after ${delayMs} ms`);
            return ran;
          });
        }));

      test("at any moment of a child's start", () =>
        withScene(async (scene) => {
          await untilCmdRuns(2, async (delayMs) => {
            const watched = scene.start({ place, command: ["sleep", "60"] });
            await seen(() => watched.children.length > 0);
            await spin(delayMs);
            const ran = runsCmd(watched);
            watched.signal("SIGKILL");
            await watched.exited;
            await nothingLeft(watched.mark, `killed ${delayMs} ms after the fork`);
            assert.doesNotMatch(watched.stderr, /^sealexec: /m);
            return ran;
          });
        }));

      test("at any moment of a restart", () => withScene((scene) => restartKilled(scene, place)));
    });
  }
});

describe(
  "SIGKILL to sealexec while its child stands still, at any moment of the child's start",
  { skip },
  () => {
    // Between its plan, which is whole, and the signal that it asks for at its parent's end.
    test("ends the child when it goes on", () =>
      withScene(async (scene) => {
        await untilCmdRuns(1, async (delayMs) => {
          const watched = scene.start({ command: ["sleep", "60"] });
          await seen(() => watched.children.length > 0);
          const { child } = watched;
          await spin(delayMs);
          process.kill(child, "SIGSTOP");
          await until(() => stateOf(child) === "T");
          const ran = runsCmd(watched);
          watched.signal("SIGKILL");
          await watched.exited;
          process.kill(child, "SIGCONT");
          await nothingLeft(watched.mark, `stopped ${delayMs} ms after the fork`);
          return ran;
        });
      }));
  },
);

/**
 * Tries later and later moments until CMD was found running some times: on a machine of any speed there is one in every part of
 * the start.
 *
 * @param kill tries one, and tells whether CMD ran by then
 */
async function untilCmdRuns(stepMs: number, kill: (delayMs: number) => Promise<boolean>): Promise<void> {
  let delayMs = 0;
  for (let found = 0; found < 2;) {
    if (await kill(delayMs)) found += 1;
    delayMs = Math.max(delayMs + stepMs, delayMs * 1.1);
    assert.ok(delayMs < 20_000, "CMD never runs");
  }
}

const runsCmd = (watched: Watched): boolean => watched.children.some((pid) => commandOf(pid) === "sleep 60");

async function restartKilled(scene: Scene, place: Place): Promise<void> {
  for (let delayMs = 0; delayMs < 60; delayMs += 4) {
    const file = `${scene.folder}/recording-${delayMs}`;
    const recording = new Recording(file);
    const watched = scene.start({ place, command: [programs?.recorder ?? "", file, "end", "15", "0"] });
    await recording.has("start");
    scene.change();
    watched.signal("SIGHUP");
    await sleep(delayMs);
    watched.signal("SIGKILL");
    await watched.exited;
    await nothingLeft(watched.mark, `killed ${delayMs} ms after the change`);
  }
}

async function nothingLeft(mark: string, when: string): Promise<void> {
  try {
    await until(() => processesWith(mark).length === 0);
  } catch {
    assert.fail(`left behind, ${when}: ${processesWith(mark).join(" ")}`);
  }
}

/** As `until`, without the pause: for moments that pass. */
async function seen(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end;) {
    if (condition()) return;
    await turn();
  }
  throw new Error("never seen");
}

async function spin(ms: number): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end;) await turn();
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
