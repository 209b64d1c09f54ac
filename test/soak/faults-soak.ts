/**
 * Random schedules of faults: several rules at once, on any service, some of which end and some of which do not.
 *
 *     node test/soak/faults-soak.ts --count 1000 --seed 1 [--bundle]
 *     node test/soak/faults-soak.ts --seed 1 --only 17        one schedule again, with what it said
 *
 * Of each it asserts that sealexec ends by itself within its deadline and one second, by no signal, with a status of
 * the contract; that CMD has either run with all of its variables or not at all; that a failure is explained; and that
 * nothing secret is on stderr. Then every case of the fault table, alone, against its own bound. The same seed gives the
 * same schedules. Exit status 1 if any failed; the last line is `N passed, N failed`.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import type { CallFault, ConnectionFault, Rule } from "../aws/faults.ts";
import type { ListenerName, ServiceName } from "../aws/http.ts";
import type { Aws } from "../aws/server.ts";
import { ARTEFACTS, KEY, push, withAws } from "../e2e/harness.ts";
import { runCase } from "../e2e/faults/run-case.ts";
import { FAULT_TABLE } from "../e2e/faults/table.ts";

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
/** What a start and an end take on a machine on which eight of them run at once. */
const SLACK_MS = 1_000;

type Random = (below: number) => number;

/** xorshift32 */
function randomFrom(seed: number): Random {
  let state = (Math.imul(seed, 2_654_435_761) ^ 0x9e37_79b9) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

function pick<T>(random: Random, from: readonly [T, ...T[]]): T {
  return from[random(from.length)] ?? from[0];
}

type Credentials = "instance" | "container" | "key";

interface Schedule {
  readonly credentials: Credentials;
  readonly timeoutS: number;
  readonly rules: readonly Rule[];
  readonly clockOffsetMs: number;
  readonly verbose: boolean;
}

const OPERATIONS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  imds: ["GetToken", "ListRoles", "GetCredentials"],
  container: ["GetCredentials"],
  s3: ["GetObject"],
  kms: ["Decrypt"],
};

function randomSchedule(random: Random): Schedule {
  const credentials = pick<Credentials>(random, ["instance", "instance", "container", "key"]);
  const first: readonly ServiceName[] =
    credentials === "instance" ? ["imds"] : credentials === "container" ? ["container"] : [];
  const services = ["s3", "kms", ...first] as unknown as readonly [ServiceName, ...ServiceName[]];
  return {
    credentials,
    timeoutS: 1 + random(30) / 10,
    rules: Array.from({ length: 1 + random(4) }, () => randomRule(random, services)),
    clockOffsetMs: random(10) === 0 ? (random(2) === 0 ? -1 : 1) * 3_600_000 : 0,
    verbose: random(4) === 0,
  };
}

function randomRule(random: Random, services: readonly [ServiceName, ...ServiceName[]]): Rule {
  const service = pick(random, services);
  const often = {
    ...(random(3) > 0 ? { times: 1 + random(6) } : {}),
    ...(random(4) === 0 ? { after: 1 + random(2) } : {}),
    ...(random(5) === 0 ? { forMs: 100 + random(2_000) } : {}),
  };
  if (random(4) === 0) return { service: service as ListenerName, ...randomConnection(random), ...often };
  const operation = pick(random, OPERATIONS[service] ?? ["GetObject"]);
  return { service, ...(random(2) === 0 ? { operation } : {}), ...randomFault(random), ...often };
}

function randomConnection(random: Random): ConnectionFault {
  return pick<ConnectionFault>(random, [
    { action: "refuse" },
    { action: "connectHang" },
    { action: "blackHole" },
    { action: "resetOnConnect" },
  ]);
}

function randomFault(random: Random): CallFault {
  return pick<CallFault>(random, [
    { action: "silent" },
    { action: "reset" },
    { action: "hangUp" },
    { action: "delay", delayMs: random(3_000) },
    { action: "status", status: pick(random, [400, 401, 403, 404, 408, 409, 418, 429, 500, 502, 503, 504]) },
    { action: "status", status: 400, code: "ThrottlingException" },
    { action: "status", status: 503, code: "SlowDown" },
    { action: "errorIn200" },
    { action: "body", body: "<html>log in</html>", status: pick(random, [200, 302, 403, 502]) },
    { action: "body", body: "{}", contentType: "application/json" },
    { action: "body", body: "null", contentType: "application/json" },
    { action: "hugeBody", bytes: 20_000_000 },
    {
      action: "redirect",
      status: pick(random, [301, 307, 400]),
      region: pick(random, ["eu-west-1", "x/y", ""]),
    },
    { action: "closeMidBody" },
    { action: "cutJson", bytes: 1 + random(20) },
    { action: "drip", everyMs: 1 + random(1_000) },
    { action: "wrongLength", bytes: random(40) },
    { action: "wrongCrc" },
    { action: "flipBit" },
    { action: "header", name: "content-type", value: "text/plain" },
    { action: "header", name: "x-amz-meta-x-amz-3", value: "AAAA" },
    { action: "header", name: "date", value: "" },
  ]);
}

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
    for (const rule of schedule.rules) await aws.faults.add(rule).ready;
    const ended = await end(uri, schedule, environment(aws, schedule.credentials));
    return { ended, broken: [...brokenPromises(ended, schedule, aws)] };
  };
  return withAws(work, { ports: { imds: port, container: port + 1, s3: port + 2, kms: port + 3 } });
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
        stderr: Buffer.concat(stderr).toString("utf8"),
        durationMs: performance.now() - started,
      });
    });
  });
}

function* brokenPromises(ended: Ended, { timeoutS, verbose }: Schedule, aws: Aws): Generator<string> {
  const { status, signal, stdout, stderr, durationMs } = ended;
  if (signal !== null) yield `ended by ${signal}`;
  if (durationMs > timeoutS * 1_000 + 1_000 + SLACK_MS) yield `late: ${(durationMs / 1_000).toFixed(1)} s`;
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

const seed = Number(values.seed);
const tally = { passed: 0, failed: 0, ran: 0 };

function report(name: string, broken: readonly string[], details: string): void {
  if (broken.length === 0) {
    tally.passed += 1;
    return;
  }
  tally.failed += 1;
  process.stdout.write(`failed: ${name}: ${broken.join("; ")}\n${details}\n`);
}

process.stdout.write(`seed ${seed}\n`);
const numbers =
  values.only === undefined
    ? Array.from({ length: Number(values.count) }, (_, index) => index)
    : [Number(values.only)];
await forEach(numbers, PARALLEL, async (number, worker) => {
  const schedule = randomSchedule(randomFrom(seed * 1_000_003 + number));
  const { ended, broken } = await runSchedule(schedule, worker);
  if (ended.status === CMD_STATUS) tally.ran += 1;
  const details = `${JSON.stringify(schedule)}\n${JSON.stringify(ended)}`;
  report(`schedule ${number}`, broken, details);
  if (values.only !== undefined) process.stdout.write(`${details}\n`);
});
process.stdout.write(`schedules: ${numbers.length}, CMD ran in ${tally.ran}, ${tally.failed} failed\n`);
if (values.only === undefined) {
  const cases = FAULT_TABLE.filter(({ skip }) => skip === undefined || skip === false);
  await forEach(cases, availableParallelism() * 2, async (row) => {
    const name = `case ${row.id} (${row.fault})`;
    try {
      const { durationMs } = await runCase(row, { name: "from a shell", prefix: [] });
      const late = durationMs > row.boundMs ? [`late: ${(durationMs / 1_000).toFixed(1)} s`] : [];
      report(name, late, `bound: ${row.boundMs / 1_000} s`);
    } catch (error) {
      report(name, ["wrong"], String(error));
    }
  });
}
process.stdout.write(`${tally.passed} passed, ${tally.failed} failed\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;
