/** A loopback AWS in a process of its own, with one sealed object in it: what every measurement of a start runs against. */
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
export const BINARY = `${ROOT}dist/sealexec`;
export const BUNDLE = `${ROOT}dist/sealexec.cjs`;
export const BUCKET = "bench-secrets";
export const KEY = "app.env";
export const URI = `s3://${BUCKET}/${KEY}`;

export interface BenchAws {
  /** for a child: endpoints, region, IMDS (and the CA, where it is TLS), PATH, SEALEXEC_FROM and SEALEXEC_KEY; nothing else */
  readonly env: Readonly<Record<string, string>>;
  /** base URLs of each service, before any proxy */
  readonly endpoints: Readonly<Record<"imds" | "s3" | "kms" | "control", string>>;
  /** seals and uploads another .env under the same URI, or another one in the same bucket */
  push(text: string, uri?: string): void;
  stop(): void;
}

/** @param count variables in the sealed .env, each 30 bytes or so */
export async function startBenchAws(options: { tls: boolean; count?: number }): Promise<BenchAws> {
  const words = [`${ROOT}test/aws/main.ts`, ...(options.tls ? ["--tls"] : [])];
  const child = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "inherit"] });
  const line = await new Promise<Buffer>((resolve) => child.stdout.once("data", resolve));
  const served = JSON.parse(line.toString("utf8")) as {
    env: Record<string, string>;
    defaultKey: string;
    endpoints: BenchAws["endpoints"];
  };
  await fetch(`${served.endpoints.control}/_control`, {
    method: "POST",
    body: JSON.stringify({ do: "s3.createBucket", bucket: BUCKET }),
  });
  const env = {
    ...served.env,
    PATH: process.env["PATH"] ?? "",
    SEALEXEC_FROM: URI,
    SEALEXEC_KEY: served.defaultKey,
  };
  const push = (text: string, uri = URI): void => {
    const pushed = spawnSync(BINARY, ["push", "-", uri, "--replace"], { env, input: text });
    if (pushed.status !== 0) throw new Error(pushed.stderr.toString("utf8"));
  };
  push(dotenvOf(options.count ?? 30));
  return { env, endpoints: served.endpoints, push, stop: () => void child.kill() };
}

/** A .env of `count` variables. */
export function dotenvOf(count: number): string {
  return Array.from({ length: count }, (_, index) => `VARIABLE_${index}='value ${index}'\n`).join("");
}
