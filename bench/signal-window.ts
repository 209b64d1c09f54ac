/**
 * node bench/signal-window.ts [ROUNDS]      (after npm run build)
 *
 * How long after its exec sealexec cannot yet answer SIGTERM: as PID 1 the kernel drops the signal, otherwise its default
 * action ends the process. Each round sends SIGTERM later and later after exec, at last by steps of 0.5 ms, until it was answered
 * (status 143) four times in a row; the window of the round is the latest delay at which it was not. Printed in ms, and as a ratio to
 * the start of `node -e 0` in the same run. Then, with nothing held up: how many signals at random moments between the
 * handler and CMD were lost. docs/exec.md holds the figures.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync, readlinkSync, realpathSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { startAws } from "../test/aws/server.ts";
import { ARTEFACTS, BUCKET, KEY, push } from "../test/e2e/harness.ts";
import { firstInNamespace } from "../test/e2e/exec/programs.ts";

const rounds = Number(process.argv[2] ?? 10);
const STEP_MS = 0.5;

interface Launch {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly prefix: readonly string[];
}

const aws = await startAws();
aws.s3.createBucket(BUCKET);
aws.kms.createKey({ alias: KEY.replace("alias/", "") });
const uri = await push(aws, "app.env", "A=b\n");
const starts: number[] = [];

const silent = aws.faults.add({ service: "kms", operation: "Decrypt", action: "silent" });
for (const { name, command } of ARTEFACTS) {
  const words = [...command, "run", "--from", uri, "--key", KEY, "--", "false"];
  for (const prefix of [[], ...(process.getuid?.() === 0 ? [firstInNamespace] : [])]) {
    const windows: number[] = [];
    // In between, so that both are measured under the same load.
    const ownStarts: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      windows.push(await window({ words, prefix, env: aws.env() }));
      ownStarts.push(await nodeStart(), await nodeStart());
    }
    starts.push(...ownStarts);
    const [middle, most, startMs] = [median(windows), Math.max(...windows), median(ownStarts)];
    print(
      `${name}, ${prefix.length === 0 ? "not PID 1" : "PID 1"}: window ${middle.toFixed(1)} ms median, ` +
        `${most.toFixed(1)} ms max of ${rounds} (${(middle / startMs).toFixed(2)} and ` +
        `${(most / startMs).toFixed(2)} of node -e 0, ${startMs.toFixed(1)} ms)`,
    );
  }
}
await silent.remove();

for (const { name, command } of ARTEFACTS) {
  const words = [...command, "run", "--from", uri, "--key", KEY, "--", "sleep", "2"];
  const runs = rounds * 10;
  let lost = 0;
  for (let run = 0; run < runs; run += 1) {
    if (await isLost({ words, prefix: [], env: aws.env() }, Math.random() * 4 * median(starts))) lost += 1;
  }
  print(`${name}: ${lost} of ${runs} signals lost at random moments from start to CMD, not PID 1`);
}
await aws.close();

/** The latest delay after exec, ms, at which SIGTERM was not answered with 143: by long steps first, then by short ones. */
async function window(launch: Launch): Promise<number> {
  return latestUnanswered(launch, await latestUnanswered(launch, 0, 8 * STEP_MS, 2), STEP_MS, 4);
}

async function latestUnanswered(
  launch: Launch,
  fromMs: number,
  stepMs: number,
  enough: number,
): Promise<number> {
  let latest = fromMs;
  let answered = 0;
  for (let delayMs = fromMs; answered < enough; delayMs += stepMs) {
    if (await isAnswered(launch, delayMs)) answered += 1;
    else [latest, answered] = [delayMs, 0];
  }
  return latest;
}

async function isAnswered(launch: Launch, delayMs: number): Promise<boolean> {
  const before = silent.hits;
  const { child, ended } = begin(launch);
  const pid = await executed(child, launch);
  await spin(delayMs);
  kill(pid, "SIGTERM");
  // Dropped: it goes on, until it waits for KMS.
  while (child.exitCode === null && child.signalCode === null && silent.hits === before) await sleep(1);
  const raced = await Promise.race([ended, sleep(60, "alive")]);
  if (raced === "alive") kill(pid, "SIGKILL");
  await ended;
  return raced === "143";
}

async function isLost(launch: Launch, delayMs: number): Promise<boolean> {
  const { child, ended } = begin(launch);
  const pid = await executed(child, launch);
  await spin(delayMs);
  kill(pid, "SIGTERM");
  const end = await ended;
  return end !== "143" && end !== "SIGTERM";
}

function begin({ words, env, prefix }: Launch): { child: ChildProcess; ended: Promise<string> } {
  const [file = "", ...args] = [...prefix, ...words];
  const child = spawn(file, args, { env: { PATH: process.env["PATH"], ...env }, stdio: "ignore" });
  const ended = new Promise<string>((resolve) => {
    child.once("close", (status, signal) => resolve(signal ?? String(status)));
  });
  return { child, ended };
}

/** Waits, without sleeping, until the kernel has executed the artefact. Its PID. */
async function executed({ pid = 0 }: ChildProcess, { words, prefix }: Launch): Promise<number> {
  const file = realpathSync(words[0] ?? "");
  for (let tries = 0; tries < 1e6; tries += 1) {
    try {
      const children =
        prefix.length === 0 ? String(pid) : readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
      const found = Number(children.trim());
      if (found > 0 && readlinkSync(`/proc/${found}/exe`) === file) return found;
    } catch {
      // Not yet.
    }
  }
  throw new Error("it never started");
}

/** Timers are too coarse. The event loop turns in between: the loopback AWS lives in this process. */
async function spin(delayMs: number): Promise<void> {
  const end = performance.now() + delayMs;
  while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** ms from spawn to end of `node -e 0` */
async function nodeStart(): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, ["-e", "0"], { stdio: "ignore" });
  await new Promise((resolve) => child.once("exit", resolve));
  return performance.now() - started;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
