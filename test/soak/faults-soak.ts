/**
 * Random schedules of faults: several rules at once, on any service, some of which end and some of which do not.
 *
 *     node test/soak/faults-soak.ts --count 1000 --seed 1 [--bundle]
 *     node test/soak/faults-soak.ts --seed 1 --only 17        one schedule again, with what it said
 *
 * Of each it asserts that sealexec ends by itself within its deadline and one second, by no signal, with a status of
 * the contract; that CMD has either run with all of its variables or not at all; that a failure is explained; and that
 * nothing secret is on stderr. Then every case of the fault table, against its own bound. What was late is run again by
 * itself, as a busy machine is late too; late twice is failed. The same seed gives the same schedules. Exit status 1 if
 * any failed; the last line is `N passed, N failed`.
 */
import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import type { Rule } from "../aws/faults.ts";
import type { Aws } from "../aws/server.ts";
import { ARTEFACTS, KEY, push, withAws, WAITING_LINE } from "../e2e/harness.ts";
import { runCase } from "../e2e/faults/run-case.ts";
import type { FaultCase } from "../e2e/faults/fault-case.ts";
import { FAULT_TABLE } from "../e2e/faults/table.ts";
import { randomFrom, randomSchedule } from "./fault-schedules.ts";
import type { Credentials, Schedule } from "./fault-schedules.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    bundle: { type: "boolean", default: false },
  },
});

const PARALLEL = 8;
const CANARY = "canary-c29hay1zb2Fr";
const CMD_STATUS = 42;
const STATUSES = new Set([65, 66, 69, 75, 77, 78]);
/** How long behind its deadline a run may end: it starts before its clock does. */
const OVERTIME_MS = 1_000;
const CASES_PARALLEL = 4;

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

function environment(aws: Aws, credentials: Credentials): Record<string, string> {
  switch (credentials) {
    case "instance":
      return aws.env();
    case "container":
      return aws.containerEnv();
    case "key":
      return aws.keyEnv();
  }
}

// Below the ports that the kernel gives out: one that is shut for a while must still be free afterwards.
const FIRST_PORT = 20_000;

interface Result {
  readonly ended: Ended;
  readonly broken: readonly string[];
}

function runSchedule(schedule: Schedule, worker: number): Promise<Result> {
  const port = FIRST_PORT + worker * 4;
  const work = async (aws: Aws): Promise<Result> => {
    const uri = await push(aws, "app.env", `FIRST=${CANARY}\nSECOND=${CANARY}\n`);
    aws.clockOffsetMs = schedule.clockOffsetMs;
    aws.resetCalls();
    const endings: Ending[] = [];
    for (const rule of schedule.rules) endings.push(await addRule(aws, rule));
    const ended = await end(uri, schedule, environment(aws, schedule.credentials));
    for (const ending of endings) await ending();
    return { ended, broken: [...brokenPromises(ended, schedule, aws)] };
  };
  return withAws(work, { ports: { imds: port, container: port + 1, s3: port + 2, kms: port + 3 } });
}

/** Takes the rule back, or waits until that has been done. */
type Ending = () => Promise<void>;

/** Ends the rule by a timer of its own: a listener that a rule opens again must not do so behind its end. */
async function addRule(aws: Aws, { forMs, ...rule }: Rule): Promise<Ending> {
  const handle = aws.faults.add(rule as Rule);
  await handle.ready;
  let removed: Promise<void> | undefined;
  const timer = forMs === undefined ? undefined : setTimeout(() => (removed = handle.remove()), forMs);
  return async () => {
    clearTimeout(timer);
    await (removed ??= handle.remove());
  };
}

function end(uri: string, schedule: Schedule, env: Readonly<Record<string, string>>): Promise<Ended> {
  const [file = "", ...words] = (ARTEFACTS[values.bundle ? 1 : 0] ?? ARTEFACTS[0])?.command ?? [];
  const args = ["run", "--from", uri, "--key", KEY, "--timeout", String(schedule.timeoutS)];
  const command = ["sh", "-c", `printf '%s %s' "$FIRST" "$SECOND"; exit ${CMD_STATUS}`];
  const started = performance.now();
  const child = spawn(file, [...words, ...args, ...(schedule.verbose ? ["-v"] : []), "--", ...command], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const guard = setTimeout(() => child.kill("SIGKILL"), schedule.timeoutS * 1_000 + 15_000);
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => {
      clearTimeout(guard);
      resolve({
        status,
        signal,
        stdout: Buffer.concat(stdout).toString("utf8"),
        stderr: Buffer.concat(stderr).toString("utf8").replaceAll(WAITING_LINE, ""),
        durationMs: performance.now() - started,
      });
    });
  });
}

function* brokenPromises(ended: Ended, { verbose }: Schedule, aws: Aws): Generator<string> {
  const { status, signal, stdout, stderr } = ended;
  if (signal !== null) yield `ended by ${signal}`;
  if (aws.count("imds", "GetWithoutToken") > 0) yield "a request to IMDS without a token";
  const session = aws.imds.credentials;
  const secrets = [CANARY, session.secretAccessKey, session.sessionToken ?? CANARY, aws.container.token];
  if (secrets.some((secret) => stderr.includes(secret))) yield "a secret on stderr";
  if (status === CMD_STATUS) {
    if (stdout !== `${CANARY} ${CANARY}`) yield "CMD has run without its variables";
    if (stderr !== "" && !verbose) yield "CMD has run, and there is something on stderr";
    return;
  }
  if (stdout !== "") yield "CMD has run, and its status is lost";
  if (status === null || !STATUSES.has(status)) yield `status ${status ?? "none"}`;
  const lines = stderr.trimEnd().split("\n");
  const [error, hint] = lines.slice(-2);
  if (!/^sealexec: error: \S/.test(error ?? "") || !/^sealexec: hint: \S/.test(hint ?? ""))
    yield "no error and hint at the end of stderr";
  if (!verbose && lines.length !== 2) yield "more than an error and a hint on stderr";
}

/** Calls `work` for each item, so many at a time. */
async function forEach<T>(
  items: readonly T[],
  parallel: number,
  work: (item: T, worker: number) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const run = async (worker: number): Promise<void> => {
    for (const item of queue) await work(item, worker);
  };
  await Promise.all(Array.from({ length: parallel }, (_, worker) => run(worker)));
}

/** What a run is called, what it broke, whether it came too late, and what to show of it. */
interface Verdict {
  readonly name: string;
  readonly broken: readonly string[];
  readonly late: string | undefined;
  readonly details: string;
}

const seed = Number(values.seed);
const tally = { passed: 0, failed: 0 };
const statuses = new Map<string, number>();
const lateOnes: (() => Promise<Verdict>)[] = [];

function report({ name, broken, late, details }: Verdict, again?: () => Promise<Verdict>): void {
  if (late !== undefined && broken.length === 0 && again !== undefined) {
    lateOnes.push(again);
    return;
  }
  const all = late === undefined ? broken : [...broken, late];
  if (all.length === 0) {
    tally.passed += 1;
    return;
  }
  tally.failed += 1;
  process.stdout.write(`failed: ${name}: ${all.join("; ")}\n${details}\n`);
}

async function tryLateOnesAgain(): Promise<void> {
  if (lateOnes.length > 0) process.stdout.write(`late: ${lateOnes.length}; again, one by one\n`);
  for (const again of lateOnes.splice(0)) report(await again());
}

function lateness(durationMs: number, boundMs: number): string | undefined {
  return durationMs > boundMs ? `late: ${(durationMs / 1_000).toFixed(1)} s` : undefined;
}

async function judgeSchedule(number: number, worker: number): Promise<Verdict> {
  const schedule = randomSchedule(randomFrom(seed * 1_000_003 + number));
  const { ended, broken } = await runSchedule(schedule, worker);
  return {
    name: `schedule ${number}`,
    broken,
    late: lateness(ended.durationMs, schedule.timeoutS * 1_000 + OVERTIME_MS),
    details: `${ended.status} ${JSON.stringify(schedule)}\n${JSON.stringify(ended)}`,
  };
}

async function judgeCase(row: FaultCase): Promise<Verdict> {
  const name = `case ${row.id} (${row.fault})`;
  const details = `bound: ${row.boundMs / 1_000} s`;
  try {
    const { durationMs } = await runCase(row, { name: "from a shell", prefix: [] });
    return { name, broken: [], late: lateness(durationMs, row.boundMs), details };
  } catch (error) {
    return { name, broken: ["wrong"], late: undefined, details: String(error) };
  }
}

process.stdout.write(`seed ${seed}\n`);
const numbers =
  values.only === undefined
    ? Array.from({ length: Number(values.count) }, (_, index) => index)
    : [Number(values.only)];
await forEach(numbers, PARALLEL, async (number, worker) => {
  const verdict = await judgeSchedule(number, worker);
  const status = verdict.details.split(" ")[0] ?? "";
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  report(verdict, () => judgeSchedule(number, worker));
  if (values.only !== undefined) process.stdout.write(`${verdict.details}\n`);
});
await tryLateOnesAgain();
const spread = [...statuses]
  .sort(([a], [b]) => Number(a) - Number(b))
  .map(([status, count]) => `${count} × ${status}`);
process.stdout.write(
  `schedules: ${numbers.length}, ${tally.failed} failed; by status: ${spread.join(", ")}\n`,
);
if (values.only === undefined) {
  const cases = FAULT_TABLE.filter(({ skip }) => skip === undefined || skip === false);
  await forEach(cases, CASES_PARALLEL, async (row) => report(await judgeCase(row), () => judgeCase(row)));
  await tryLateOnesAgain();
}
process.stdout.write(`${tally.passed} passed, ${tally.failed} failed\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;
