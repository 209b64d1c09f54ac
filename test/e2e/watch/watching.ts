/** `sealexec run --watch` under test: started, looked at while it runs, and ended. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Aws } from "../../aws/server.ts";
import { until } from "../expect.ts";
import { ARTEFACTS, WAITING_LINE } from "../harness.ts";
import type { Artefact } from "../harness.ts";

export interface Watching {
  readonly pid: number;
  /** what CMD has written so far, by line */
  readonly lines: () => string[];
  /** what sealexec and CMD have written to standard error, by line */
  readonly said: () => string[];
  /** all of standard error, with what a start waited for */
  readonly stderr: () => string;
  /** asks for a look at the sources now, and waits until `done` holds */
  lookUntil(done: () => boolean): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** exit status and signal, when it has ended */
  readonly ended: Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }>;
}

export interface WatchingOptions {
  readonly env: Readonly<Record<string, string>>;
  /** before CMD: `--from URI`, `--every 1h`, … */
  readonly flags: readonly string[];
  readonly cmd?: readonly string[];
  readonly artefact?: Artefact;
  readonly cwd?: string;
}

/** Says its pid and A at its start, and "end" when it is told to end. */
export const SERVER = [
  "sh",
  "-c",
  'trap "echo end $$; exit 0" TERM; trap "echo usr1 $$" USR1; echo "start $$ A=$A"; while :; do sleep 0.02; done',
] as const;

/** Far away: a test looks when it wants to, by SIGHUP. */
export const SELDOM = ["--every", "1h"] as const;

/** Starts it for the time of `work`, and waits until CMD runs. */
export async function watching(
  options: WatchingOptions,
  work: (watching: Watching) => Promise<void>,
): Promise<void> {
  const { command } = options.artefact ?? ARTEFACTS[0] ?? assert.fail("no artefact");
  const [file, ...words] = command;
  const args = [...words, "run", "--watch", ...options.flags, "--", ...(options.cmd ?? SERVER)];
  const child = spawn(file, args, {
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const [stdout, stderr]: [string[], string[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk.toString("utf8")));
  let hasEnded = false;
  const ended = new Promise<{ status: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on("close", (status, signal) => {
      hasEnded = true;
      resolve({ status, signal });
    });
  });
  const lines = (): string[] => linesOf(stdout);
  const running: Watching = {
    pid: child.pid ?? 0,
    lines,
    // What a start waited for on a busy machine is not what is looked at here.
    said: () => linesOf([stderr.join("").replaceAll(WAITING_LINE, "")]),
    stderr: () => stderr.join(""),
    lookUntil: async (done) => {
      child.kill("SIGHUP");
      await until(() => done() || hasEnded);
      assert.ok(done(), `it ended: ${stderr.join("")}`);
    },
    kill: (signal) => void child.kill(signal),
    ended,
  };
  try {
    await until(() => lines().length > 0 || hasEnded);
    assert.ok(!hasEnded || lines().length > 0, stderr.join(""));
    await work(running);
  } finally {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await ended;
    clearTimeout(timer);
  }
}

function linesOf(chunks: readonly string[]): string[] {
  return chunks
    .join("")
    .split("\n")
    .filter((line) => line !== "");
}

/** The calls of a service since `from`, by operation. */
export function callsSince(aws: Aws, from: number, ...services: readonly string[]): string[] {
  return aws.calls
    .slice(from)
    .filter(({ service }) => services.includes(service))
    .map(({ operation }) => operation);
}

/** Bytes of a field of /proc/PID/status. */
export function memoryOf(pid: number, field: "VmRSS" | "VmHWM"): number {
  const text = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]) * 1024;
}
