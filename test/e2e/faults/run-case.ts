/** Runs one case to its end and judges it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Aws } from "../../aws/server.ts";
import { ARTEFACTS, KEY, push, withAws, WAITING_LINE } from "../harness.ts";
import type { Artefact, Outcome } from "../harness.ts";
import type { FaultCase } from "./fault-case.ts";

export interface Ending extends Outcome {
  /** from its start, or from the signal, to its end */
  readonly durationMs: number;
  /** it did not end by itself */
  readonly killed: boolean;
}

export interface Mode {
  readonly name: string;
  readonly prefix: readonly string[];
}

/** What the sealed object holds; never to be seen but in CMD's environment. */
export const CANARY = "canary-Zm9vYmFy-47d1";
const CMD_STATUS = 42;
export const COMMAND = ["sh", "-c", `printf 'CMD ran: %s' "$TOKEN"; exit ${CMD_STATUS}`];

const SEALEXEC = process.env["SEALEXEC_FAULTS_ARTEFACT"] ?? "binary";
const artefact: Artefact | undefined = ARTEFACTS.find(({ name }) => name === SEALEXEC);

/** Runs the case in a world of its own, and asserts its status, its messages, and that it ended by itself. */
export async function runCase(row: FaultCase, mode: Mode): Promise<Ending> {
  const folder = await mkdtemp(join(tmpdir(), "sealexec-fault-"));
  try {
    return await withAws((aws) => runAgainst(aws, row, mode, folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runAgainst(aws: Aws, row: FaultCase, mode: Mode, folder: string): Promise<Ending> {
  aws.clockOffsetMs = row.clockOffsetMs ?? 0;
  const sealed = await push(aws, "app.env", `TOKEN=${CANARY}\n`);
  const setup = (await row.prepare?.({ aws, folder })) ?? {};
  try {
    for (const rule of row.rules ?? []) await aws.faults.add(rule).ready;
    aws.resetCalls();
    const words = [
      ...(setup.prefix ?? []),
      ...mode.prefix,
      ...(artefact ?? assert.fail(`no artefact ${SEALEXEC}`)).command,
      "run",
      "--from",
      setup.uri ?? sealed,
      "--key",
      setup.key ?? KEY,
      ...(row.timeoutS === undefined ? [] : ["--timeout", String(row.timeoutS)]),
      "--",
      ...(setup.command ?? COMMAND),
    ];
    const ending = await end(words, setup.env ?? aws.env(), row, aws);
    judge(row, ending, aws);
    return ending;
  } finally {
    await setup.cleanUp?.();
  }
}

async function end(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  row: FaultCase,
  aws: Aws,
): Promise<Ending> {
  const [file = "", ...args] = words;
  let started = performance.now();
  const child = spawn(file, args, {
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let killed = false;
  const guard = setTimeout(
    () => {
      killed = true;
      child.kill("SIGKILL");
    },
    row.boundMs * 3 + 5_000,
  );
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => resolve([status, signal]));
  });
  if (row.signal !== undefined) {
    await until(() => child.exitCode !== null || (row.signal?.when?.(aws) ?? true));
    await sleep(30);
    const pid = await innermost(child.pid ?? assert.fail("not started"));
    started = performance.now();
    if (child.exitCode === null) process.kill(pid, row.signal.name);
  }
  const [status, signal] = await closed;
  clearTimeout(guard);
  return {
    status,
    signal,
    stdout: Buffer.concat(stdout).toString("utf8"),
    stderr: Buffer.concat(stderr).toString("utf8").replaceAll(WAITING_LINE, ""),
    durationMs: performance.now() - started,
    killed,
  };
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2_000 && !holds(); tries += 1) await sleep(5);
}

/** The process at the end of a chain of only children: what unshare --fork has started. */
async function innermost(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const [child] = children.trim().split(" ").map(Number);
  return child === undefined || child === 0 ? pid : innermost(child);
}

const LINE = /^sealexec: (error|hint): \S.*[^.]$/;

function judge(row: FaultCase, ending: Ending, aws: Aws): void {
  const { expected } = row;
  const { status, signal, stdout, stderr } = ending;
  assert.ok(!ending.killed, `did not end by itself within ${row.boundMs * 3 + 5_000} ms`);
  assert.equal(signal, null, `ended by a signal: ${stderr}`);
  assert.equal(aws.count("imds", "GetWithoutToken"), 0, "a request to IMDS without a token");
  assert.ok(!stderr.includes(CANARY), "the value is on stderr");
  if (expected === "CMD runs") {
    assert.deepEqual(
      { status, stdout, stderr },
      { status: CMD_STATUS, stdout: `CMD ran: ${CANARY}`, stderr: "" },
    );
  } else {
    assert.equal(stdout, "", "CMD has run");
    assert.equal(status, expected.status, stderr);
    if ("silent" in expected) assert.equal(stderr, "");
    else judgeMessages(stderr, expected);
  }
  row.verify?.(aws, ending);
}

function judgeMessages(stderr: string, expected: { readonly error: RegExp; readonly hint: RegExp }): void {
  const lines = stderr.trimEnd().split("\n");
  assert.equal(lines.length, 2, `an error and a hint, one line each: ${stderr}`);
  for (const line of lines) assert.match(line, LINE);
  assert.match(lines[0] ?? "", /^sealexec: error: /);
  assert.match(lines[0] ?? "", expected.error);
  assert.match(lines[1] ?? "", /^sealexec: hint: /);
  assert.match(lines[1] ?? "", expected.hint);
}
