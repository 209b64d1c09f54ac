/**
 * The one reader of files that a setting or an argument names. A pipe or a device could keep us waiting, deaf
 * to the deadline and to signals; what may be one is read by stores/mounted/read.ts.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { SealexecError } from "../errors.ts";

/** Far more than a key or a token takes. */
const SMALL_BYTES = 64 * 1024;
const CHUNK_BYTES = 64 * 1024;

// O_NONBLOCK: what was a file when it was looked at may be a FIFO by now.
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * @param judge throws if the file that was opened is not to be believed; a link is not followed then
 * @throws as node:fs does, with a `code`; "ENOTFILE" for what is no regular file, "EFBIG" for a larger one
 */
export function readSmallFile(
  path: string,
  largestBytes = SMALL_BYTES,
  judge?: (stats: Stats) => void,
): Buffer {
  const bytes = readFirstBytes(path, largestBytes + 1, judge);
  if (bytes.length > largestBytes) throw tooLarge();
  return bytes;
}

/** The same of its first bytes, however large it is. */
export function readFirstBytes(path: string, sizeBytes: number, judge?: (stats: Stats) => void): Buffer {
  // Before it is opened: to open a device may be to do something to it.
  refuseOthers(judge === undefined ? statSync(path) : lstatSync(path));
  const fd = openSync(path, judge === undefined ? FLAGS : FLAGS | constants.O_NOFOLLOW);
  try {
    const stats = fstatSync(fd);
    refuseOthers(stats);
    judge?.(stats);
    return readUpTo(fd, sizeBytes, stats.size);
  } finally {
    closeSync(fd);
  }
}

/**
 * For what somebody else, who asks no such questions, is about to read: refuses what keeps him waiting, or
 * what he would pass over as if it were not there. /dev/null is an empty file to everybody.
 */
export function refuseUnreadable(path: string, largestBytes = SMALL_BYTES): void {
  const stats = statSync(path);
  if (isNull(stats)) return;
  refuseOthers(stats);
  if (stats.size > largestBytes) throw tooLarge();
  // Neither its mode nor its disk is known before it is read.
  readFirstBytes(path, 1);
}

/** @param what the setting that names the file, for people */
export function unreadable(what: string, file: string, error: unknown, hint: string): SealexecError {
  const says = `${what}: ${file} cannot be read (${whyUnread(error)})`;
  return new SealexecError("config", says, { hint, cause: error });
}

/** For messages: what was wrong with a file, in a few words that hold nothing of it. */
export function whyUnread(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOTFILE") return "not a regular file";
  return code === "EFBIG" ? "too large" : (code ?? "error");
}

function readUpTo(fd: number, sizeBytes: number, expectedBytes: number): Buffer {
  // One more than expected, so that its end is met in the first buffer.
  let buffer = Buffer.alloc(Math.min(sizeBytes, expectedBytes + 1));
  for (let size = 0; ;) {
    const got = readSync(fd, buffer, size, buffer.length - size, null);
    size += got;
    if (got === 0 || size === sizeBytes) return buffer.subarray(0, size);
    if (size < buffer.length) continue;
    // It grows while it is read, or does not tell its size, as in /proc.
    const larger = Buffer.alloc(Math.min(sizeBytes, size + CHUNK_BYTES));
    larger.set(buffer);
    buffer.fill(0);
    buffer = larger;
  }
}

// As the kernel says it: a folder has a code of its own.
function refuseOthers(stats: Stats): void {
  if (stats.isFile()) return;
  throw Object.assign(new Error("not a regular file"), { code: stats.isDirectory() ? "EISDIR" : "ENOTFILE" });
}

// Linux, Documentation/admin-guide/devices.txt: character device 1, 3.
function isNull(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === ((1 << 8) | 3);
}

function tooLarge(): Error {
  return Object.assign(new Error("too large"), { code: "EFBIG" });
}

/** What tells one state of a file from any other: which file, its size, when it was changed (stat(2)). */
export function fileState({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
}

/** The same of what a path leads to. Throws what the system says. */
export function stateOfPath(path: string): string {
  return fileState(statSync(path));
}
