/**
 * `npm run test:mutation [-- ROOM… --sample N --seed S --at FILE:LINE… --at-once N]`: puts faults into the pure rooms, one at a time, and runs the room's unit
 * tests. Prints what they did not notice; ends with 1 where a room is below what it is to be.
 */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { randomFrom } from "../soak/fault-schedules.ts";
import type { Random } from "../soak/fault-schedules.ts";
import { mutantsOf } from "./mutants.ts";
import type { Mutant } from "./mutants.ts";
import type { Answer, Order } from "./worker.ts";

interface Room {
  readonly sources: readonly string[];
  readonly tests: readonly string[];
}

const ROOMS: Readonly<Record<string, Room>> = {
  names: {
    sources: ["src/text/names.ts", "src/text/refused*.ts", "src/base/name-patterns.ts"],
    tests: ["test/unit/text/names*.test.ts", "test/unit/text/refused*.test.ts"],
  },
  dotenv: { sources: ["src/text/dotenv/*.ts"], tests: ["test/unit/text/dotenv/*.test.ts"] },
  dialects: {
    sources: ["src/text/{carried,dialect,docker,json,json-scan,parse}.ts", "src/text/yaml/*.ts"],
    tests: ["test/unit/text/*.test.ts"],
  },
  envelope: { sources: ["src/envelope/*.ts"], tests: ["test/unit/envelope/*.test.ts"] },
};
const NOTICED_AT_LEAST = 0.9;
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Only what is found each time counts, and not what one of thousands of random inputs shows. */
const BY_CHANCE = /(properties|fuzz)\.test\.ts$/;
const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));
/** After so many it is started anew. */
const ROUNDS = 100;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: "string" },
    seed: { type: "string", default: "1" },
    at: { type: "string", multiple: true },
    "at-once": { type: "string", default: "2" },
  },
});

/** Who waits for what does not come takes no time of the processor. */
const LONGEST_WAIT_MS = 120_000;

/** Runs the tests on one fault after the other. It is started anew after one that does not end, and now and then, as modules stay. */
class Worker {
  readonly #tests: readonly string[];
  #child: ChildProcess | undefined;
  #rounds = 0;

  constructor(files: readonly string[]) {
    this.#tests = files.map(urlOf);
  }

  /**
   * @param most of the processor's time, milliseconds: what else runs on the machine does not count
   * @returns what the tests say; undefined: they did not end, or ended the process
   */
  run(mostMs: number, source?: Order["source"]): Promise<Answer | undefined> {
    this.#rounds += 1;
    if (this.#rounds % ROUNDS === 0) this.end();
    const child = (this.#child ??= fork(WORKER, {
      cwd: ROOT,
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      execArgv: ["--max-old-space-size=1024"],
    }));
    const [startedMs, usedMs] = [performance.now(), this.usedMs()];
    return new Promise((resolve) => {
      const settle = (answer: Answer | undefined): void => {
        clearInterval(timer);
        child.removeAllListeners();
        if (answer === undefined) this.end();
        resolve(answer);
      };
      const timer = setInterval(() => {
        const waitedMs = performance.now() - startedMs;
        if (this.usedMs() - usedMs > mostMs || waitedMs > LONGEST_WAIT_MS) settle(undefined);
      }, 100);
      child.once("message", (answer) => settle(answer as Answer));
      child.once("exit", () => settle(undefined));
      child.send({ tests: this.#tests, ...(source === undefined ? {} : { source }) } satisfies Order);
    });
  }

  /** The processor's time so far, milliseconds: proc_pid_stat(5), utime and stime in hundredths of a second. */
  usedMs(): number {
    const stat = readFileSync(`/proc/${this.#child?.pid}/stat`, "latin1");
    const [user, system] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(12);
    return 10 * (Number(user) + Number(system));
  }

  end(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }
}

function urlOf(file: string): string {
  return pathToFileURL(join(ROOT, file)).href;
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

/** What was there and what is there now, from a little before the first difference. */
function changeOf({ from, to }: Mutant): string {
  const same = Array.from(from).findIndex((character, at) => character !== to[at]);
  const shown = (text: string): string => JSON.stringify(text.slice(Math.max(0, same - 20)).slice(0, 60));
  return `${shown(from)} → ${shown(to)}`;
}

/** @returns the part that was noticed, 0 to 1 */
async function testRoom(name: string, { sources, tests }: Room): Promise<number> {
  const files = globSync([...tests], { cwd: ROOT }).filter((file) => !BY_CHANCE.test(file));
  const first = new Worker(files);
  // The first loads the tests and what they need.
  let whole = await first.run(LONGEST_WAIT_MS);
  const usedMs = whole === undefined ? 0 : first.usedMs();
  if (whole?.failed === undefined) whole = await first.run(LONGEST_WAIT_MS);
  const mostMs = 1_000 + 10 * (whole === undefined ? 0 : first.usedMs() - usedMs);
  first.end();
  if (whole === undefined || whole.failed !== undefined || whole.passed < files.length)
    throw new Error(`${name}: its tests fail without a fault: ${whole?.failed}`);
  const all = globSync([...sources], { cwd: ROOT })
    .toSorted()
    .flatMap((file) =>
      mutantsOf(readFileSync(join(ROOT, file), "utf8")).map((mutant) => ({ ...mutant, file })),
    )
    .filter(({ file, line }) => values.at?.some((at) => at === file || at === `${file}:${line}`) ?? true);
  const chosen = sampled(all, Number(values.sample ?? all.length), randomFrom(Number(values.seed)));
  const left = chosen.values();
  let survivors = 0;
  let endless = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(files);
    for (const mutant of left) {
      const answer = await worker.run(mostMs, { url: urlOf(mutant.file), text: mutant.text });
      if (answer?.failed !== undefined) continue;
      if (answer === undefined) endless += 1;
      else survivors += 1;
      const note = answer === undefined ? " (noticed: the tests did not end)" : "";
      process.stdout.write(`${mutant.file}:${mutant.line}: ${changeOf(mutant)}${note}\n`);
    }
    worker.end();
  };
  await Promise.all(Array.from({ length: Number(values["at-once"]) }, work));
  const noticed = chosen.length - survivors;
  const part = noticed / chosen.length;
  process.stdout.write(
    `${name}: ${noticed} of ${chosen.length} noticed (${(100 * part).toFixed(1)} %); with ${endless} of them the tests did not end\n`,
  );
  return part;
}

const wanted = positionals.length === 0 ? Object.keys(ROOMS) : positionals;
for (const name of wanted) {
  const room = ROOMS[name];
  if (room === undefined) throw new Error(`no room ${name}: ${Object.keys(ROOMS).join(", ")}`);
  if ((await testRoom(name, room)) < NOTICED_AT_LEAST) process.exitCode = 1;
}
