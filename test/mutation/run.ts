/**
 * `npm run test:mutation [-- ROOM… --sample N --seed S]`: puts faults into the pure rooms, one at a time, and runs the room's unit
 * tests. Prints what they did not notice; ends with 1 where a room is below what it is to be.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { randomFrom } from "../soak/fault-schedules.ts";
import type { Random } from "../soak/fault-schedules.ts";
import { mutantsOf } from "./mutants.ts";
import type { Mutant } from "./mutants.ts";

interface Room {
  readonly sources: readonly string[];
  readonly tests: readonly string[];
}

const ROOMS: Readonly<Record<string, Room>> = {
  names: {
    sources: ["src/names*.ts", "src/refused*.ts"],
    tests: ["test/unit/names*.test.ts", "test/unit/refused*.test.ts"],
  },
  dotenv: { sources: ["src/dotenv/*.ts"], tests: ["test/unit/dotenv/*.test.ts"] },
  dialects: { sources: ["src/dialects/**/*.ts"], tests: ["test/unit/dialects/*.test.ts"] },
  envelope: { sources: ["src/envelope/*.ts"], tests: ["test/unit/envelope/*.test.ts"] },
};
const NOTICED_AT_LEAST = 0.9;
const AT_ONCE = 2;
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Only what is found each time counts, and not what one of thousands of random inputs shows. */
const BY_CHANCE = /(properties|fuzz)\.test\.ts$/;
/** Tests of what a large text costs. */
const SLOW = "on large input";
const HOOK = fileURLToPath(new URL("hook.ts", import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { sample: { type: "string" }, seed: { type: "string", default: "1" } },
});
const folder = mkdtempSync(join(tmpdir(), "sealexec-mutation-"));

/** Runs the tests, to the first that fails. A fault that never ends is noticed too. */
function passes(
  tests: readonly string[],
  env: Readonly<Record<string, string>>,
  mostMs: number,
): Promise<boolean> {
  const words = ["--import", HOOK, "--test", "--test-isolation=none", "--test-reporter=tap"];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...words, `--test-skip-pattern=${SLOW}`, ...tests], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), mostMs);
    let failed = false;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (!/^\s*not ok /m.test(text)) return;
      failed = true;
      child.kill("SIGKILL");
    });
    child.on("close", (status) => {
      clearTimeout(timer);
      resolve(!failed && status === 0);
    });
  });
}

/** One of each of `count` stretches of equal length. */
function sampled<T>(all: readonly T[], count: number, random: Random): readonly T[] {
  if (!(count < all.length)) return all;
  const start = (index: number): number => Math.floor((index * all.length) / count);
  return Array.from({ length: count }, (_, index) => {
    const at = start(index) + random(start(index + 1) - start(index));
    return all[at] ?? assert.fail(`no fault ${at}`);
  });
}

interface Survivor extends Mutant {
  readonly file: string;
}

/** @returns the part that was noticed, 0 to 1 */
async function testRoom(name: string, { sources, tests }: Room): Promise<number> {
  const files = globSync([...tests], { cwd: ROOT }).filter((file) => !BY_CHANCE.test(file));
  const started = performance.now();
  if (!(await passes(files, {}, 600_000))) throw new Error(`${name}: its tests fail without a fault`);
  const mostMs = 10_000 + 5 * (performance.now() - started);
  const all = globSync([...sources], { cwd: ROOT })
    .toSorted()
    .flatMap((file) =>
      mutantsOf(readFileSync(join(ROOT, file), "utf8")).map((mutant) => ({ ...mutant, file })),
    );
  const chosen = sampled(all, Number(values.sample ?? all.length), randomFrom(Number(values.seed)));
  const left = chosen.values();
  const survivors: Survivor[] = [];
  const work = async (worker: number): Promise<void> => {
    const copy = join(folder, `${name}-${worker}.ts`);
    for (const mutant of left) {
      writeFileSync(copy, mutant.text);
      const env = { MUTANT_URL: pathToFileURL(join(ROOT, mutant.file)).href, MUTANT_FILE: copy };
      if (!(await passes(files, env, mostMs))) continue;
      survivors.push(mutant);
      const shown = (text: string): string => JSON.stringify(text.slice(0, 60));
      process.stdout.write(`${mutant.file}:${mutant.line}: ${shown(mutant.from)} → ${shown(mutant.to)}\n`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, worker) => work(worker)));
  const noticed = (chosen.length - survivors.length) / chosen.length;
  process.stdout.write(
    `${name}: ${chosen.length - survivors.length} of ${chosen.length} noticed (${(100 * noticed).toFixed(1)} %)\n`,
  );
  return noticed;
}

try {
  const wanted = positionals.length === 0 ? Object.keys(ROOMS) : positionals;
  for (const name of wanted) {
    const room = ROOMS[name];
    if (room === undefined) throw new Error(`no room ${name}: ${Object.keys(ROOMS).join(", ")}`);
    if ((await testRoom(name, room)) < NOTICED_AT_LEAST) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
