/** The fleet as real processes against the loopback AWS. */
import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { BINARY, BUCKET, KEY, push, withAws } from "../../test/e2e/harness.ts";
import type { Start } from "./report.ts";

export interface Fleet {
  readonly count: number;
  readonly spreadMs: number;
  readonly timeoutMs: number;
  /** requests a second, and the part of them that fails */
  readonly rates: { readonly kms: number; readonly s3: number; readonly errors: number };
}

/** Each process reads an object of its own, so that its calls can be told from the others'. */
export function startProcesses({ count, spreadMs, timeoutMs, rates }: Fleet): Promise<Start[]> {
  return withAws(async (aws) => {
    const keys = Array.from({ length: count }, (_, index) => `${index}.env`);
    // Binding the object to its place makes each sealing, and so each Decrypt, known by its context.
    for (const key of keys) await push(aws, key, "TOKEN=value\n");
    aws.resetCalls();
    for (const service of ["kms", "s3"] as const) {
      aws.limit(service, rates[service]);
      aws.errorRate(service, rates.errors);
    }
    const ended = await Promise.all(
      keys.map(async (key) => {
        await sleep(Math.random() * spreadMs);
        const began = performance.now();
        const status = await run(key, timeoutMs, aws.env());
        return { key, ok: status === 0, seconds: (performance.now() - began) / 1_000 };
      }),
    );
    return ended.map(({ key, ok, seconds }) => {
      const object = `s3://${BUCKET}/${key}`;
      return {
        ok,
        seconds,
        s3: aws.calls.filter((call) => call.service === "s3" && call.detail.key === key).length,
        kms: aws.calls.filter(
          ({ service, detail }) =>
            service === "kms" && detail.EncryptionContext?.["sealexec:object"] === object,
        ).length,
      };
    });
  });
}

function run(key: string, timeoutMs: number, env: Readonly<Record<string, string>>): Promise<number | null> {
  const words = ["run", "--from", `s3://${BUCKET}/${key}`, "--key", KEY];
  const child = spawn(BINARY, [...words, "--timeout", String(timeoutMs / 1_000), "--", "true"], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
}
