/** Reads one file whole, within a limit: also a pipe, with an ear for the deadline and for signals while it waits. */
import { closeSync, constants, fstatSync, openSync, readSync, readlinkSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../../base/context.ts";
import { SealexecError } from "../../base/errors.ts";
import { accessing } from "./failure.ts";

/** No environment would take more. */
export const LARGEST_FILE_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const POLL_MS = 3;

// O_NONBLOCK: open(2) of a FIFO that nobody writes to would hold up the process, and the deadline with it.
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

interface MountedFile {
  readonly bytes: Uint8Array;
  readonly stats: Stats;
}

/** Reads a file, or a pipe to its end (`<(command)` is /dev/fd/N). Follows links: Kubernetes mounts them. */
export async function readMounted(
  path: string,
  context: Context,
  limitBytes = LARGEST_FILE_BYTES,
): Promise<MountedFile> {
  const { fd, stats } = openMounted(path);
  try {
    const bytes = stats.isFIFO() ? await readPipe(fd, limitBytes, context) : readRegular(fd, limitBytes);
    return { stats, bytes };
  } finally {
    closeSync(fd);
  }
}

/** Reads a regular file of a folder. Throws as readMounted, leading with `name`. */
export function readMember(path: string, name: string, limitBytes: number): MountedFile {
  const { fd, stats } = openMounted(path, name);
  try {
    if (!stats.isFile()) throw notAFile("a pipe", name);
    return { stats, bytes: readRegular(fd, limitBytes, name) };
  } finally {
    closeSync(fd);
  }
}

function openMounted(path: string, name?: string): { fd: number; stats: Stats } {
  return accessing(() => {
    // Before it is opened: to open a device may be to do something to it.
    refuseOthers(statSync(path), name);
    const fd = openSync(path, FLAGS);
    try {
      const stats = fstatSync(fd);
      refuseOthers(stats, name);
      return { fd, stats };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }, name);
}

function refuseOthers(stats: Stats, name: string | undefined): void {
  if (stats.isFile() || stats.isFIFO()) return;
  throw notAFile(stats.isDirectory() ? "a folder" : "a device or socket", name);
}

function notAFile(what: string, name?: string): SealexecError {
  const [lead, hint] =
    name === undefined
      ? ["", "a folder with one file a variable is dir:PATH"]
      : [`${name}: `, "each file is a variable: name a folder in it by a --from dir:PATH of its own"];
  return new SealexecError("config", `${lead}${what}, where a file is expected`, { hint });
}

function readRegular(fd: number, limitBytes: number, name?: string): Uint8Array {
  const chunks: Buffer[] = [];
  for (let size = 0; ;) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, limitBytes + 1 - size));
    const got = accessing(() => readSync(fd, chunk), name);
    if (got === 0) return joined(chunks);
    chunks.push(chunk.subarray(0, got));
    size += got;
    if (size > limitBytes) throw tooLarge(chunks, limitBytes, name);
  }
}

async function readPipe(fd: number, limitBytes: number, context: Context): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Of a FIFO without a writer read(2) says the same as at its end: that nobody has come yet is no end. A
  // pipe without a name has had its writer from the beginning.
  let begun = isAnonymous(fd);
  for (;;) {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const got = readNow(fd, chunk);
    if (got === 0 && begun) return joined(chunks);
    if (got !== 0) begun = true;
    if (got !== undefined && got > 0) {
      chunks.push(chunk.subarray(0, got));
      size += got;
      if (size > limitBytes) throw tooLarge(chunks, limitBytes);
      continue;
    }
    if (context.deadline.signal.aborted) throw neverEnds(context, begun);
    await sleep(POLL_MS);
  }
}

/** The bytes that are there; 0 at the end or without a writer; undefined: a writer has not written yet. */
function readNow(fd: number, chunk: Buffer): number | undefined {
  return accessing(() => {
    try {
      return readSync(fd, chunk);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined;
      throw error;
    }
  });
}

// proc(5): the link of a pipe without a name reads "pipe:[INODE]".
function isAnonymous(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith("pipe:[");
  } catch {
    return false;
  }
}

function joined(chunks: readonly Buffer[]): Uint8Array {
  const bytes = Buffer.concat(chunks);
  wipe(chunks);
  return bytes;
}

function wipe(chunks: readonly Buffer[]): void {
  for (const chunk of chunks) chunk.fill(0);
}

function tooLarge(chunks: readonly Buffer[], limitBytes: number, name?: string): SealexecError {
  wipe(chunks);
  if (name !== undefined) return tooLargeVariable(name);
  const hint = "it holds no variables; check the path";
  return new SealexecError("data", `larger than ${limitBytes} bytes`, { hint });
}

export function tooLargeVariable(name: string): SealexecError {
  return new SealexecError("data", `${name}: larger than an environment variable can be`, {
    hint: "a variable takes 131,071 bytes with its name: let the program read the file itself",
  });
}

function neverEnds(context: Context, begun: boolean): SealexecError {
  const seconds = context.deadline.timeoutMs / 1000;
  const what = begun ? "its writer did not close it" : "nobody wrote to it";
  return new SealexecError("timeout", `the pipe did not end within the deadline of ${seconds} s: ${what}`, {
    hint: "look at the program that writes to it, or raise --timeout (SEALEXEC_TIMEOUT)",
  });
}
