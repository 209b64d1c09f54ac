/**
 * node bench/fleet.ts [--seeds N] [--starts N] [--timeout SECONDS]
 *
 * A fleet that starts at once: 1,000 starts within one second against a KMS of 50 requests/s and an S3 of 200/s, 2 % of
 * whose answers are errors. The policy is the product's own (src/aws/retry.ts, failure.ts, deadline.ts); the clock is
 * simulated, and so are the services: a request is counted in any second gone by and refused over the rate, as
 * test/aws/limits.ts does. The goal: every start within a deadline of 60 s, with at most 4 calls of S3 and 6 of KMS.
 *
 * node bench/fleet.ts --processes [--starts 100]
 *
 * The same with processes, sockets and a clock that are real (dist/sealexec, the loopback AWS), at a tenth of the size.
 */
import { mock } from "node:test";
import { parseArgs } from "node:util";
import { classify } from "../src/aws/failure.ts";
import { retry } from "../src/aws/retry.ts";
import type { Context } from "../src/context.ts";
import { Deadline } from "../src/deadline.ts";
import { createLogger } from "../src/logger.ts";
import { startProcesses } from "./fleet/processes.ts";
import { randomFrom, tell } from "./fleet/report.ts";
import type { Start } from "./fleet/report.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "10" },
    starts: { type: "string" },
    timeout: { type: "string", default: "60" },
    processes: { type: "boolean", default: false },
  },
});

const SPREAD_MS = 1_000;
const KMS_PER_SECOND = 50;
const S3_PER_SECOND = 200;
const ERRORS = 0.02;
const IMDS_MS = 5;
const ROUND_TRIP_MS = 15;
const ATTEMPT_MS = 10_000;
const timeoutMs = Number(values.timeout) * 1_000;

/** A service that takes so many requests in any second, and fails a part of them. */
class SimulatedService {
  readonly #perSecond: number;
  readonly #throttled: Error;
  #recent: number[] = [];

  constructor(perSecond: number, code: string, status: number) {
    this.#perSecond = perSecond;
    this.#throttled = serviceError(code, status);
  }

  async call(now: () => number): Promise<void> {
    await sleep(ROUND_TRIP_MS);
    const since = now() - 1_000;
    this.#recent = this.#recent.filter((time) => time > since);
    if (this.#recent.length >= this.#perSecond) throw this.#throttled;
    this.#recent.push(now());
    if (Math.random() < ERRORS) throw serviceError("InternalError", 500);
  }
}

function serviceError(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

interface World {
  readonly s3: SimulatedService;
  readonly kms: SimulatedService;
  readonly now: () => number;
}

async function start({ s3, kms, now }: World): Promise<Start> {
  await sleep(Math.random() * SPREAD_MS);
  const began = now();
  const deadline = new Deadline(timeoutMs, now);
  const context: Context = { env: {}, deadline, now, log: createLogger("text", false, () => {}) };
  const calls = { s3: 0, kms: 0 };
  let ok = true;
  try {
    await sleep(IMDS_MS);
    for (const [name, service, operation] of [
      ["s3", s3, "GetObject"],
      ["kms", kms, "Decrypt"],
    ] as const) {
      const options = { attemptMs: ATTEMPT_MS, classify: (error: unknown) => classify(operation, error) };
      await retry(context, options, () => {
        calls[name] += 1;
        return service.call(now);
      });
    }
  } catch {
    ok = false;
  }
  deadline.clear();
  return { ok, seconds: (now() - began) / 1_000, ...calls };
}

async function simulate(seed: number, count: number): Promise<Start[]> {
  Math.random = randomFrom(seed);
  mock.timers.enable({ apis: ["setTimeout"] });
  let time = 0;
  const now = (): number => time;
  const world: World = {
    s3: new SimulatedService(S3_PER_SECOND, "SlowDown", 503),
    kms: new SimulatedService(KMS_PER_SECOND, "ThrottlingException", 400),
    now,
  };
  const ended: Start[] = [];
  const starts = Array.from({ length: count }, async () => void ended.push(await start(world)));
  while (ended.length < count) {
    time += 1;
    mock.timers.tick(1);
    // Whatever waits for a promise goes on before the clock does.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(starts);
  mock.timers.reset();
  return ended;
}

if (values.processes) {
  const count = Number(values.starts ?? "100");
  const rates = {
    kms: (KMS_PER_SECOND * count) / 1_000,
    s3: (S3_PER_SECOND * count) / 1_000,
    errors: ERRORS,
  };
  const starts = await startProcesses({ count, spreadMs: SPREAD_MS, timeoutMs, rates });
  tell(`${count} processes, KMS ${rates.kms}/s, S3 ${rates.s3}/s`, starts);
} else {
  const count = Number(values.starts ?? "1000");
  process.stdout.write(
    `simulated clock; ${count} starts in 1 s, KMS ${KMS_PER_SECOND}/s, S3 ${S3_PER_SECOND}/s, 2 % errors, ` +
      `deadline ${values.timeout} s\n`,
  );
  const all: Start[] = [];
  for (let seed = 1; seed <= Number(values.seeds); seed += 1) {
    const starts = await simulate(seed, count);
    tell(`seed ${seed}`, starts);
    all.push(...starts);
  }
  tell("all seeds", all);
}
