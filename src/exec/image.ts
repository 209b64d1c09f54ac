/**
 * What the kernel gave this process and what CMD is to find again: the environment block and the arguments byte for
 * byte (a JavaScript string cannot hold every byte), the open files, the ignored signals, the limit of open files.
 * Source: proc(5). Taken once, before anything of ours is opened.
 */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";

export interface ProcessImage {
  /** `NAME=value` each */
  readonly environment: readonly Buffer[];
  /** argv from the first argument behind the program's own name; undefined where /proc does not tell */
  readonly arguments: readonly Buffer[] | undefined;
  /** file descriptors above 2 that were there at the start */
  readonly inheritedFds: readonly number[];
  /** bit n-1 is set where signal n was ignored at the start */
  readonly ignoredSignals: bigint;
  /** the limit of open files before the runtime raised its soft half, where that can be told */
  readonly fileLimit: Limit | undefined;
}

/** @param fallback the environment as the runtime shows it, for where /proc cannot be read */
export function takeImage(
  fallback: Readonly<Record<string, string | undefined>>,
  ppid: number,
): ProcessImage {
  return {
    environment: splitNul("/proc/self/environ") ?? entriesOf(fallback),
    arguments: splitNul("/proc/self/cmdline"),
    inheritedFds: inheritedFds(),
    ignoredSignals: ignoredSignals(),
    fileLimit: inheritedFileLimit(ppid),
  };
}

function splitNul(file: string): Buffer[] | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return undefined;
  }
  const parts: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start);
    const stop = end === -1 ? bytes.length : end;
    parts.push(bytes.subarray(start, stop));
    start = stop + 1;
  }
  return parts;
}

function entriesOf(env: Readonly<Record<string, string | undefined>>): Buffer[] {
  return Object.entries(env).map(([name, value]) => Buffer.from(`${name}=${value ?? ""}`));
}

// The runtime opens these for itself before any of our code runs. Where a parent hands down one of its own, it
// cannot be told from them (docs/exec.md).
const RUNTIME_FILES = /^anon_inode:\[(eventpoll|eventfd|io_uring)\]$/;

function inheritedFds(): number[] {
  try {
    return readdirSync("/proc/self/fd")
      .map(Number)
      .filter((fd) => fd > 2 && isForeign(fd));
  } catch {
    return [];
  }
}

function isForeign(fd: number): boolean {
  try {
    return !RUNTIME_FILES.test(readlinkSync(`/proc/self/fd/${fd}`));
  } catch {
    // The folder was listed through this one; it is closed by now.
    return false;
  }
}

function ignoredSignals(): bigint {
  try {
    const mask = /^SigIgn:\t([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
    return mask === undefined ? 0n : BigInt(`0x${mask}`);
  } catch {
    return 0n;
  }
}

/** A resource limit; Infinity for "unlimited". */
export interface Limit {
  readonly soft: number;
  readonly hard: number;
}

// Both runtimes raise the soft limit to the hard one at their start. What it was before is the parent's, as long as
// nobody changed limits in between: a hard limit that is no longer the parent's says that somebody did.
function inheritedFileLimit(ppid: number): Limit | undefined {
  const [mine, parents] = [`/proc/self/limits`, `/proc/${ppid}/limits`].map((file) =>
    readLimit(file, "Max open files"),
  );
  return mine !== undefined && mine.hard === parents?.hard ? parents : undefined;
}

function readLimit(file: string, name: string): Limit | undefined {
  try {
    const found = new RegExp(`^${name} +(\\S+) +(\\S+)`, "m").exec(readFileSync(file, "latin1"));
    const [soft, hard] = [found?.[1], found?.[2]].map((text) =>
      text === "unlimited" ? Infinity : Number(text),
    );
    return soft === undefined || hard === undefined || Number.isNaN(soft) ? undefined : { soft, hard };
  } catch {
    return undefined;
  }
}

// execve(2): a quarter of the stack's soft limit, but 6 MiB at most and 128 KiB at least.
const MOST_BYTES = 6 * 1024 * 1024;
const LEAST_BYTES = 128 * 1024;

/** How many bytes arguments and environment may have together. */
export function argumentLimit(): number {
  const stack = readLimit("/proc/self/limits", "Max stack size")?.soft ?? 8 * 1024 * 1024;
  return Math.max(LEAST_BYTES, Math.min(MOST_BYTES, stack / 4));
}
