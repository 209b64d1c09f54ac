/**
 * The first start: dist/sealexec is not in the page cache, as after the pull of an image. Only that file is dropped
 * (POSIX_FADV_DONTNEED, which is what dd does for iflag=nocache count=0); what the system shares, libc and the program that is
 * executed, stays. fincore (util-linux) checks that it is gone and says afterwards how much of it was read.
 *
 * The time is of this machine's disk and may come from a cache below it; the bytes and the faults hold elsewhere too,
 * for a disk with the same readahead.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { BINARY, startBenchAws } from "../aws.ts";
import type { BenchAws } from "../aws.ts";
import { median } from "../rounds.ts";

/** What gp3, the default volume of EC2, gives without extra cost. */
const GP3_BYTES_PER_MS = 125_000;
const MIB = 1024 * 1024;

interface Start {
  readonly ms: number;
  /** of the file in the page cache afterwards */
  readonly residentBytes: number;
  /** page faults that waited for the disk */
  readonly majorFaults: number;
}

/** Takes turns between cold and warm starts, over TLS, and prints the medians. */
export async function measureCold(rounds: number): Promise<void> {
  const aws = await startBenchAws({ tls: true });
  const cold: Start[] = [];
  const warm: Start[] = [];
  try {
    start(aws);
    for (let round = 0; round < rounds; round += 1) {
      drop();
      cold.push(start(aws));
      // What the cold one did not need, the first warm one does not either.
      warm.push(start(aws));
    }
  } finally {
    aws.stop();
  }
  const { size } = statSync(BINARY);
  const readBytes = median(cold.map(({ residentBytes }) => residentBytes));
  const ratio = median(cold.map(({ ms }, round) => ms / (warm[round]?.ms ?? Number.NaN)));
  print(`${rounds} rounds, readahead ${readAhead()}; medians`);
  print(`cold  ${row(cold)}`);
  print(`warm  ${row(warm)}`);
  print(`ratio ${ratio.toFixed(2)}, of single rounds`);
  print(
    `a cold start reads ${mib(readBytes)} of the file's ${mib(size)} MiB (${((100 * readBytes) / size).toFixed(0)} %): ` +
      `${(readBytes / GP3_BYTES_PER_MS).toFixed(0)} ms at 125 MB/s`,
  );
}

/** @throws where the file is still in the cache: another process executes it */
function drop(): void {
  // What was just written is not dropped before it is on the disk.
  run(["sync", BINARY]);
  run(["dd", `if=${BINARY}`, "iflag=nocache", "count=0", "status=none"]);
  const left = residentBytes();
  if (left > 0)
    throw new Error(`${left} bytes of ${BINARY} are still in the page cache: does another process run it?`);
}

function start({ env }: BenchAws): Start {
  const time = "/usr/bin/time";
  const words = [BINARY, "run", "--", "true"];
  const began = performance.now();
  const stderr = run(existsSync(time) ? [time, "-f", "%F", ...words] : words, env).stderr;
  const ms = performance.now() - began;
  return {
    ms,
    residentBytes: residentBytes(),
    majorFaults: Number(stderr.trim().split("\n").at(-1) || Number.NaN),
  };
}

function residentBytes(): number {
  return Number(run(["fincore", "--bytes", "--noheadings", "--output", "RES", BINARY]).stdout);
}

function run(
  [program = "", ...args]: readonly string[],
  env = process.env,
): { stdout: string; stderr: string } {
  const ended = spawnSync(program, args, { env, encoding: "utf8" });
  if (ended.status !== 0) throw new Error(`${program}: ${ended.error?.message ?? ended.stderr}`);
  return ended;
}

/** Of the device that the file lies on. */
function readAhead(): string {
  const { dev } = statSync(BINARY);
  // gnu_dev_major(3): 12 bits from 8 on; the minor is the 8 bits below and those from 20 on.
  const name = `${(dev >>> 8) & 0xfff}:${(dev & 0xff) | ((dev >>> 12) & 0xfff00)}`;
  const file = `/sys/class/bdi/${name}/read_ahead_kb`;
  return existsSync(file) ? `${readFileSync(file, "utf8").trim()} KiB` : "unknown";
}

function row(starts: readonly Start[]): string {
  const [ms, faults] = [median(starts.map((one) => one.ms)), median(starts.map((one) => one.majorFaults))];
  return `${ms.toFixed(1).padStart(8)} ms wall ${String(faults).padStart(6)} major faults`;
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
