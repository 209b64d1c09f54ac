/**
 * node bench/fleet.ts [--seeds N] [--starts N] [--timeout SECONDS]
 *
 * A fleet that starts at once: 1,000 starts within one second against a KMS of 50 requests/s and an S3 of 200/s, 2 % of
 * whose answers are errors. The policy is the product's own (src/http/retry.ts, failure.ts, deadline.ts); the clock is
 * simulated, and so are the services (bench/fleet/service.ts). The goal: every start within a deadline of 60 s, with at most 4 calls of S3 and 6 of KMS.
 *
 * node bench/fleet.ts --processes [--starts 100]
 *
 * The same with processes, sockets and a clock that are real (dist/sealexec, the loopback AWS), at a tenth of the size.
 */
import { parseArgs } from "node:util";
import { classify } from "../src/aws/call/failure.ts";
import { retry } from "../src/http/retry.ts";
import type { Context } from "../src/base/context.ts";
import { Deadline } from "../src/base/deadline.ts";
import { createLogger } from "../src/base/logger.ts";
import { simulate, sleep } from "./fleet/clock.ts";
import { startProcesses } from "./fleet/processes.ts";
import { tell } from "./fleet/report.ts";
import type { Start } from "./fleet/report.ts";
import { KMS_THROTTLED, S3_THROTTLED, SimulatedService } from "./fleet/service.ts";

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
const ATTEMPT_MS = 10_000;
const timeoutMs = Number(values.timeout) * 1_000;

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
        return service.call();
      });
    }
  } catch {
    ok = false;
  }
  deadline.clear();
  return { ok, seconds: (now() - began) / 1_000, ...calls };
}

async function startAll(seed: number, count: number): Promise<Start[]> {
  const ended: Start[] = [];
  await simulate(seed, (now) => {
    const world: World = {
      s3: new SimulatedService({ perSecond: S3_PER_SECOND, errors: ERRORS, throttled: S3_THROTTLED }, now),
      kms: new SimulatedService({ perSecond: KMS_PER_SECOND, errors: ERRORS, throttled: KMS_THROTTLED }, now),
      now,
    };
    const startOne = async (): Promise<void> => void ended.push(await start(world));
    for (let index = 0; index < count; index += 1) void startOne();
    return () => ended.length === count;
  });
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
    const starts = await startAll(seed, count);
    tell(`seed ${seed}`, starts);
    all.push(...starts);
  }
  tell("all seeds", all);
}
