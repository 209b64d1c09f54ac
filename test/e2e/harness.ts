/** What every black-box test needs: the built artefacts, run as a process of their own, and a loopback AWS. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { seal, writerContext } from "../../src/envelope/index.ts";
import { sealBlob } from "../aws/kms-blob.ts";
import { startAws } from "../aws/server.ts";
import type { Aws, AwsOptions } from "../aws/server.ts";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const BINARY = `${ROOT}dist/sealexec`;
export const BUNDLE = `${ROOT}dist/sealexec.cjs`;

export interface Artefact {
  readonly name: string;
  /** the words before sealexec's own arguments */
  readonly command: readonly [string, ...string[]];
}

/** The compiled binary and the npm bundle on this Node. */
export const ARTEFACTS: readonly Artefact[] = [
  { name: "binary", command: [BINARY] },
  { name: "npm bundle", command: [process.execPath, BUNDLE] },
];

export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** standard input; none: /dev/null */
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  /** the binary by default */
  readonly artefact?: Artefact;
  /** words before the artefact's command: `unshare --pid --fork …`, `strace …` */
  readonly prefix?: readonly string[];
  /** keep the lines that tell a user what is waited for: on a busy machine they may come in any test */
  readonly keepWaiting?: boolean;
  /** kills the process after so long, ms: a test must not hang */
  readonly killAfterMs?: number;
}

const [binary] = ARTEFACTS;

/** Runs sealexec to its end. The environment is PATH and what is given, nothing else. */
export function sealexec(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const words = [...(options.prefix ?? []), ...(options.artefact ?? binary ?? fail()).command, ...args];
  return runProcess(words, options);
}

/** As text, and as `--log json`. */
export const WAITING_LINE =
  /^(sealexec: notice: waiting for .*|\{"time":"[^"]*","level":"notice","code":"waiting",.*)\n/gm;

/** Runs any program to its end. */
export function runProcess(words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const [file = "", ...rest] = words;
  return new Promise((resolve, reject) => {
    const child = spawn(file, rest, {
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", ...options.env },
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), options.killAfterMs ?? 60_000);
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input);
    child.on("error", reject);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      const said = Buffer.concat(stderr).toString("utf8");
      resolve({
        status,
        signal,
        stdout: Buffer.concat(stdout).toString("utf8"),
        stderr: options.keepWaiting === true ? said : said.replaceAll(WAITING_LINE, ""),
      });
    });
  });
}

/** A loopback AWS with a bucket `app-secrets` and a key `alias/app`, for the time of one test. */
export async function withAws<T>(work: (aws: Aws) => Promise<T>, options: AwsOptions = {}): Promise<T> {
  const aws = await startAws(options);
  try {
    aws.s3.createBucket(BUCKET);
    aws.kms.createKey({ alias: KEY.replace("alias/", "") });
    return await work(aws);
  } finally {
    await aws.close();
  }
}

export const BUCKET = "app-secrets";
export const KEY = "alias/app";

/**
 * Seals `text` at s3://app-secrets/NAME, whatever is there. Most tests only want something to open, so this process seals
 * it; the binary does it if there are flags, or a name that a URI writes in another way. push.test.ts is about push itself.
 */
export async function push(
  aws: Aws,
  name: string,
  text: string,
  flags: readonly string[] = [],
): Promise<string> {
  const uri = `s3://${BUCKET}/${name}`;
  if (flags.length === 0 && /^[\w./-]+$/.test(name)) {
    const revision = Math.max(Date.now() + aws.clockOffsetMs, (lastRevisions.get(aws) ?? 0) + 1);
    lastRevisions.set(aws, revision);
    putSealed(aws, name, text, revision);
    return uri;
  }
  const words = ["push", "-", uri, "--key", KEY, "--replace", "--force", ...flags];
  const { status, stderr } = await sealexec(words, { env: aws.env(), input: text });
  if (status !== 0) throw new Error(`push ended with ${status}: ${stderr}`);
  return uri;
}

const lastRevisions = new WeakMap<Aws, number>();

/**
 * Seals `text` as push does, with any revision that a test wants, past the checks of push.
 *
 * @param revision undefined: none
 * @param place what it is bound to; null: nothing
 */
export function putSealed(
  aws: Aws,
  name: string,
  text: string,
  revision: number | undefined,
  place: string | null = `s3://${BUCKET}/${name}`,
): void {
  const key = aws.kms.find(KEY, aws.region);
  const dataKey = randomBytes(32);
  const encryptionContext = writerContext("v3", {}, place ?? undefined, revision);
  const wrappedKey = sealBlob(key, aws.kms.macKey, dataKey, encryptionContext);
  const sealed = seal("v3", { plaintext: Buffer.from(text), dataKey, wrappedKey, encryptionContext });
  aws.s3.put(BUCKET, name, sealed.body, sealed.metadata);
}

/** Where a program is on PATH, for tests that skip without it. */
export function onPath(program: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(":")
    .map((folder) => `${folder}/${program}`)
    .find((file) => existsSync(file));
}

function fail(): never {
  throw new Error("no artefact");
}
