/** CMD's end is the end that the parent sees: every exit status, and death by every signal. */
import assert, { fail } from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { assertFailed, withFolder } from "../expect.ts";
import { ARTEFACTS, runProcess, sealexec } from "../harness.ts";
import type { Artefact, Outcome } from "../harness.ts";
import { asUser, canUserRun, isRoot } from "./programs.ts";

const linux = process.platform === "linux" ? false : "needs Linux";
// The bundle starts more slowly and shares the code behind it: its edges are enough.
const EDGES = [0, 1, 2, 64, 70, 77, 126, 127, 128, 129, 137, 143, 254, 255];
const ALL = Array.from({ length: 256 }, (_, status) => status);

describe("CMD's end", { skip: linux }, () => {
  for (const artefact of ARTEFACTS) {
    const statuses = artefact.name === "binary" ? ALL : EDGES;
    test(`${artefact.name}: ${statuses.length} exit statuses arrive unchanged`, async () => {
      const seen = await endings(artefact, statuses, (status) => ["sh", "-c", `exit ${status}`]);
      assert.deepEqual(
        seen,
        statuses.map((status) => ({ status, signal: null, stdout: "", stderr: "" })),
      );
    });

    test(`${artefact.name}: death by a signal arrives unchanged`, async () => {
      // A shell that stays behind says 128+n for signals that have no name here.
      const reported = (words: readonly string[]): string[] => ["sh", "-c", '"$@"; echo $?', "sh", ...words];
      const direct = await Promise.all(
        signals(artefact).map((number) => runProcess(reported(["sh", "-c", kill(number)]))),
      );
      const through = await endings(
        artefact,
        signals(artefact),
        (number) => ["sh", "-c", kill(number)],
        reported([]),
      );
      assert.deepEqual(
        through.map(({ stdout, signal }) => ({ stdout, signal })),
        direct.map(({ stdout, signal }) => ({ stdout, signal })),
      );
      assert.deepEqual(
        direct.map(({ stdout }) => Number(stdout)),
        signals(artefact).map((number) => 128 + number),
      );
    });
  }
});

const [binary = fail()] = ARTEFACTS;
const noUser = isRoot && canUserRun(binary) ? false : "needs root, and a checkout that uid 1000 may read";

test(
  "a CMD behind a folder that may not be entered is 126, not one that is not there",
  { skip: noUser },
  () =>
    withFolder(async (cwd) => {
      mkdirSync(`${cwd}/closed`, { mode: 0o700 });
      writeFileSync(`${cwd}/closed/cmd`, "#!/bin/sh\n", { mode: 0o755 });
      writeFileSync(`${cwd}/.env`, "A=b\n", { mode: 0o644 });
      chmodSync(cwd, 0o755);
      const line = ["run", "--from", "env-file:.env", "--"];
      const hint = /check the modes of its folders$/;
      const byPath = await sealexec([...line, `${cwd}/closed/cmd`], { cwd, prefix: asUser });
      assertFailed(byPath, 126, /permission denied on the way to it$/, hint);
      const env = { PATH: `${cwd}/closed:${process.env["PATH"]}` };
      const byName = await sealexec([...line, "cmd"], { cwd, prefix: asUser, env });
      assertFailed(byName, 126, /^command: cmd: permission denied on the way to it$/, hint);
    }),
);

// signal(7): those that end a process. 17, 18, 23 and 28 do nothing by default, 19 to 22 stop it.
const ENDING = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31, 34, 50, 64,
];

function signals(artefact: Artefact): readonly number[] {
  return artefact.name === "binary" ? ENDING : ENDING.filter((number) => number < 16 || number === 25);
}

function kill(number: number): string {
  return `ulimit -c 0; kill -${number} $$; sleep 9`;
}

/** One run each, a few at a time. Of a file that is there: what CMD becomes has nothing to do with where its variables are from. */
async function endings(
  artefact: Artefact,
  numbers: readonly number[],
  command: (number: number) => readonly string[],
  prefix: readonly string[] = [],
): Promise<Outcome[]> {
  return withFolder(async (cwd) => {
    writeFileSync(`${cwd}/.env`, "A=b\n", { mode: 0o600 });
    const outcomes = new Map<number, Outcome>();
    const queue = [...numbers];
    const work = async (): Promise<void> => {
      for (let number = queue.shift(); number !== undefined; number = queue.shift()) {
        const words = ["run", "--from", "env-file:.env", "--", ...command(number)];
        outcomes.set(number, await sealexec(words, { cwd, artefact, prefix }));
      }
    };
    await Promise.all(Array.from({ length: 4 }, work));
    return numbers.flatMap((number) => outcomes.get(number) ?? []);
  });
}
