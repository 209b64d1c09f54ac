/**
 * What the kernel gave this process and what CMD is to find again, byte for byte: a JavaScript string cannot
 * hold every byte. Source: proc(5). Taken once, before anything of ours is opened.
 */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { fileLimit, type FileLimit } from "./limits.ts";
import type { Environment } from "../base/env.ts";
import { effectiveUid } from "../base/files/user.ts";

/** of this machine, as the runtime calls it: `x64`, `arm64`, … */
export const architecture: string = process.arch;

export interface ProcessImage {
  /** `NAME=value` each */
  readonly environment: readonly Buffer[];
  /** argv after the program's own name; undefined if /proc does not tell */
  readonly arguments: readonly Buffer[] | undefined;
  /** file descriptors above 2 that were there at the start */
  readonly inheritedFds: readonly number[];
  readonly fileLimit: FileLimit;
  /** the effective user id */
  readonly uid: number;
}

/** @param fallback the environment as the runtime shows it, for where /proc cannot be read */
export function takeImage(fallback: Environment, ppid: number): ProcessImage {
  return {
    environment: splitNul("/proc/self/environ") ?? entriesOf(fallback),
    arguments: splitNul("/proc/self/cmdline"),
    inheritedFds: inheritedFds(),
    fileLimit: fileLimit(ppid),
    uid: effectiveUid(),
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

function entriesOf(env: Environment): Buffer[] {
  return Object.entries(env).map(([name, value]) => Buffer.from(`${name}=${value ?? ""}`));
}

// The runtime opens these for itself before any of our code runs. Where a parent hands down one of its own,
// it cannot be told from them (docs/exec.md).
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
