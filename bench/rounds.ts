/**
 * Contestants that take turns, so that what else the machine does falls on all alike: medians, and ratios that are
 * paired (each round's own, then their median). Wall time is measured around the bare program; CPU time and peak memory
 * in rounds of their own under /usr/bin/time, where it is there.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const TIME = "/usr/bin/time";

export interface Contestant {
  readonly name: string;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Figures {
  readonly name: string;
  /** median, milliseconds */
  readonly wallMs: number;
  /** each round's wall time, milliseconds */
  readonly walls: readonly number[];
  /** user + system, mean, as it comes in steps of 10 ms; NaN without /usr/bin/time */
  readonly cpuMs: number;
  /** largest resident memory, median, MiB; NaN without /usr/bin/time */
  readonly peakMb: number;
}

/** @throws where a contestant ends with another status than 0 */
export function takeTurns(contestants: readonly Contestant[], rounds: number): Figures[] {
  const walls = contestants.map((): number[] => []);
  // The first rounds fill the page cache.
  for (let round = -3; round < rounds; round += 1) {
    for (const [index, contestant] of contestants.entries()) {
      const ms = wall(contestant);
      if (round >= 0) walls[index]?.push(ms);
    }
  }
  const used = contestants.map((): Usage[] => []);
  for (let round = 0; existsSync(TIME) && round < Math.max(5, rounds / 4); round += 1) {
    for (const [index, contestant] of contestants.entries()) used[index]?.push(usage(contestant));
  }
  return contestants.map(({ name }, index) => ({
    name,
    wallMs: median(walls[index] ?? []),
    walls: walls[index] ?? [],
    cpuMs: mean(used[index]?.map(({ cpuMs }) => cpuMs) ?? []),
    peakMb: median(used[index]?.map(({ peakMb }) => peakMb) ?? []),
  }));
}

/** The median of each round's ratio of `figures` to `base`. */
export function pairedRatio(figures: Figures, base: Figures): number {
  return median(figures.walls.map((ms, round) => ms / (base.walls[round] ?? Number.NaN)));
}

function wall(contestant: Contestant): number {
  const { words, env } = contestant;
  const started = performance.now();
  const ended = spawnSync(words[0] ?? "", words.slice(1), { env, stdio: ["ignore", "ignore", "pipe"] });
  const ms = performance.now() - started;
  if (ended.status !== 0) throw new Error(`${contestant.name}: ${ended.status}: ${String(ended.stderr)}`);
  return ms;
}

interface Usage {
  readonly cpuMs: number;
  readonly peakMb: number;
}

function usage({ words, env, name }: Contestant): Usage {
  const { status, stderr } = spawnSync(TIME, ["-f", "%U %S %M", ...words], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (status !== 0) throw new Error(`${name}: ${status}: ${String(stderr)}`);
  const last = String(stderr).trim().split("\n").at(-1) ?? "";
  const [user = Number.NaN, system = Number.NaN, peakKb = Number.NaN] = last.split(" ").map(Number);
  return { cpuMs: (user + system) * 1000, peakMb: peakKb / 1024 };
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
