/** `run --watch` ends as CMD does: its exit status, and 128+n for death by signal n. As PID 1 and not. */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { buildPrograms, skipReason } from "../exec/programs.ts";
import { until } from "../expect.ts";
import { PLACES, withScene } from "./watched.ts";
import type { End, Place, Scene } from "./watched.ts";

const programs = buildPrograms();
const skip = skipReason(programs);

const STATUSES = [0, 1, 2, 64, 70, 77, 79, 125, 126, 127, 128, 137, 143, 255];
// signal(7): all that end a process by default; 16 has a name that Bun does not know, real-time signals have none.
const SIGNALS = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31, 34, 50, 64,
];

describe("how CMD ends", { concurrency: 2 }, () => {
  for (const place of PLACES) {
    describe(`CMD's end, ${place.name}`, { skip: skip || place.skip, concurrency: 2 }, () => {
      test(`${STATUSES.length} exit statuses arrive unchanged`, () =>
        withScene(async (scene) => {
          assert.deepEqual(
            await ends(scene, place, STATUSES, (status) => `exit ${status}`),
            STATUSES.map((status) => ({ status, by: null, stderr: "" })),
          );
        }));

      test(`death by ${SIGNALS.length} signals is 128+n`, () =>
        withScene(async (scene) => {
          assert.deepEqual(
            await ends(scene, place, SIGNALS, (number) => `ulimit -c 0; kill -${number} $$; sleep 9`),
            SIGNALS.map((number) => ({ status: 128 + number, by: null, stderr: "" })),
          );
        }));

      test("--on-exit restart: the status is said, and it is started again, one second later, then two, then four", () =>
        withScene(async (scene) => {
          const flags = ["--on-exit", "restart"];
          const watched = scene.start({ place, flags, command: ["sh", "-c", "ulimit -c 0; kill -SEGV $$"] });
          await until(() => watched.stderr.includes(" 4 s"));
          watched.signal("SIGTERM");
          assert.deepEqual(await watched.ended, { status: 143, by: null });
          assert.equal(
            watched.stderr,
            [1, 2, 4]
              .map(
                (seconds) =>
                  `sealexec: notice: CMD ended with status 139: it is started again in ${seconds} s\n`,
              )
              .join(""),
          );
        }));

      test("CMD that is not there is 127, one that cannot be executed 126, and nobody stays behind", () =>
        withScene(async (scene) => {
          const text = `${scene.folder}/text`;
          writeFileSync(text, "no program\n");
          chmodSync(text, 0o644);
          const format = `${scene.folder}/format`;
          writeFileSync(format, Buffer.from("\x7fELF but no more"));
          chmodSync(format, 0o755);
          const found = await Promise.all(
            [`${scene.folder}/nothing`, "no-such-program", text, scene.folder, format].map(
              async (command) => {
                const watched = scene.start({ place, flags: ["--on-exit", "exit"], command: [command] });
                const { status } = await watched.ended;
                assert.match(watched.stderr, /^sealexec: error: command: [^\n]+\nsealexec: hint: [^\n]+\n$/);
                return status;
              },
            ),
          );
          assert.deepEqual(found, [127, 127, 126, 126, 126]);
        }));
    });
  }
});

/** One run each, a few at a time. */
async function ends(
  scene: Scene,
  place: Place,
  numbers: readonly number[],
  script: (number: number) => string,
): Promise<(End & { readonly stderr: string })[]> {
  const found = new Map<number, End & { readonly stderr: string }>();
  const queue = [...numbers];
  const work = async (): Promise<void> => {
    for (let number = queue.shift(); number !== undefined; number = queue.shift()) {
      const watched = scene.start({ place, command: ["sh", "-c", script(number)] });
      found.set(number, { ...(await watched.ended), stderr: watched.stderr });
    }
  };
  await Promise.all(Array.from({ length: 3 }, work));
  return numbers.flatMap((number) => found.get(number) ?? []);
}
