/**
 * npm run bench:watch [-- --every SECONDS] [--looks N] [--tls]
 *
 * What it costs to stay behind: the memory of `sealexec run --watch -- sleep` after its start, after its first look and after
 * many, and after a change; its CPU time for a look and between two; and how many requests a look makes. Beside it what
 * `tini`, where it is on PATH, and a `sealexec` that never looks take. Memory as /proc/PID/smaps_rollup has it: Rss counts what
 * is shared with every other process of the same file too, Pss its part, Private only what this process alone has.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { BINARY, dotenvOf, startBenchAws } from "./aws.ts";

const { values } = parseArgs({
  options: {
    every: { type: "string", default: "3" },
    looks: { type: "string", default: "10" },
    tls: { type: "boolean", default: false },
  },
});
const [everyMs, looks] = [Number(values.every) * 1_000, Number(values.looks)];
/** One tick of utime and stime (proc(5)), where CONFIG_HZ's USER_HZ is 100 as everywhere. */
const TICK_MS = 10;
const IDLE_MS = 30_000;

const aws = await startBenchAws({ tls: values.tls });
const running: ChildProcess[] = [];
try {
  await measure();
} finally {
  for (const child of running) child.kill("SIGTERM");
  aws.stop();
}

async function measure(): Promise<void> {
  const idle = start([BINARY, "run", "--watch", "--every", "24h", "--", "sleep", "100000"]);
  const tini = spawnSync("tini", ["--version"]).error === undefined;
  const other = tini ? start(["tini", "--", "sleep", "100000"]) : undefined;
  await requestsUntil(1);
  await sleep(1_000);
  // Now the one that is measured: nobody else asks from here on.
  const before = await requests();
  const watched = start([BINARY, "run", "--watch", "--every", `${everyMs}ms`, "--", "sleep", "100000"]);
  await requestsUntil(before + 1);
  await sleep(everyMs / 4);
  const started = await requests();
  process.stdout.write(
    `${looks} looks, one every ${everyMs / 1_000} s, over ${values.tls ? "TLS" : "plain HTTP"}\n`,
  );
  process.stdout.write("resident memory, MB               Rss    Pss  Private   peak\n");
  show("after the start", watched);
  await requestsUntil(started + 1);
  await sleep(everyMs / 4);
  show("after the first look", watched);
  const [cpuBefore, looksBefore] = [cpuMs(watched), await requests()];
  await requestsUntil(looksBefore + looks);
  await sleep(everyMs / 4);
  const [cpuLooks, looksMade] = [cpuMs(watched) - cpuBefore, (await requests()) - looksBefore];
  show(`after ${looks} looks more`, watched);
  aws.push(dotenvOf(31));
  await sleep(everyMs * 2.5);
  show("after a change and a restart", watched);
  show("one that has not looked yet", idle);
  if (other !== undefined) show("tini, to compare", other);
  // Bun's own timer looks for garbage each second, and seldom once it has found none for half a minute.
  await sleep(45_000);
  const [cpuIdle, wakeUpsIdle] = [cpuMs(idle), wakeUps(idle)];
  await sleep(IDLE_MS);
  process.stdout.write(`a look: ${(cpuLooks / looksMade).toFixed(1)} ms of CPU, 1 request\n`);
  process.stdout.write(
    `between looks, in ${IDLE_MS / 1_000} s: ${cpuMs(idle) - cpuIdle} ms of CPU (a tick is ${TICK_MS} ms), ${wakeUps(idle) - wakeUpsIdle} wake-ups\n`,
  );
}

function start(words: readonly string[]): ChildProcess {
  const [file = "", ...args] = words;
  const child = spawn(file, args, { env: aws.env, stdio: ["ignore", "ignore", "inherit"] });
  running.push(child);
  return child;
}

interface Call {
  readonly service: string;
  readonly operation: string;
}

/** GetObject so far; any other call between two looks would be a mistake. */
async function requests(): Promise<number> {
  const answer = await fetch(`${aws.endpoints.control}/_control`, {
    method: "POST",
    body: JSON.stringify({ do: "calls" }),
  });
  const calls = (await answer.json()) as readonly Call[];
  return calls.filter(({ operation }) => operation === "GetObject").length;
}

async function requestsUntil(count: number): Promise<void> {
  while ((await requests()) < count) await sleep(20);
}

function show(what: string, { pid }: ChildProcess): void {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1] ?? 0);
  const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0);
  const own = field("Private_Clean") + field("Private_Dirty");
  const cells = [field("Rss"), field("Pss"), own, peak].map((kb) =>
    ((kb * 1024) / 1e6).toFixed(1).padStart(7),
  );
  process.stdout.write(`${what.padEnd(30)}${cells.join("")}\n`);
}

function cpuMs({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Context switches of all threads: each is somebody who woke up. */
function wakeUps({ pid }: ChildProcess): number {
  const listed = spawnSync("sh", ["-c", `cat /proc/${pid}/task/*/status`]).stdout.toString("latin1");
  return [...listed.matchAll(/^voluntary_ctxt_switches:\s+(\d+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}
