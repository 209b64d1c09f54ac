/** What a process has in its memory, as root sees it: proc(5), /proc/PID/mem and /proc/PID/pagemap. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

const PAGE_BYTES = 4096;
const ENTRY_BYTES = 8;
const ENTRIES = 128 * 1024;
const NO_ENTRIES = Buffer.alloc(ENTRIES * ENTRY_BYTES);

/** How often each of these is in the memory of the process, in pages that it has. */
export function countInMemory(pid: number, wanted: readonly Buffer[]): number[] {
  const counts = wanted.map(() => 0);
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    for (const { start, end } of populated(pid)) {
      const bytes = Buffer.alloc(end - start);
      // What it has given back meanwhile is no loss.
      const size = readAt(memory, bytes, start);
      for (const [index, what] of wanted.entries())
        counts[index] = (counts[index] ?? 0) + occurrences(bytes.subarray(0, size), what);
    }
  } finally {
    closeSync(memory);
  }
  return counts;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Runs of pages that are there, in regions that can be written to. */
function* populated(pid: number): Generator<Range, void, undefined> {
  const map = openSync(`/proc/${pid}/pagemap`, "r");
  try {
    const regions = readFileSync(`/proc/${pid}/maps`, "latin1").matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm);
    for (const [, from = "", to = ""] of regions) {
      let start: number | undefined;
      const end = Number.parseInt(to, 16);
      for (const { page, present } of pages(map, Number.parseInt(from, 16), end)) {
        if (present) start ??= page;
        else if (start !== undefined) {
          yield { start, end: page };
          start = undefined;
        }
      }
      if (start !== undefined) yield { start, end };
    }
  } finally {
    closeSync(map);
  }
}

function* pages(
  map: number,
  start: number,
  end: number,
): Generator<{ readonly page: number; readonly present: boolean }, void, undefined> {
  const entries = Buffer.alloc(ENTRIES * ENTRY_BYTES);
  for (let at = start; at < end; at += ENTRIES * PAGE_BYTES) {
    const size = Math.min(entries.length, ((end - at) / PAGE_BYTES) * ENTRY_BYTES);
    const read = readAt(map, entries.subarray(0, size), (at / PAGE_BYTES) * ENTRY_BYTES);
    // Address space that is only set aside: gigabytes of it.
    if (entries.compare(NO_ENTRIES, 0, read, 0, read) === 0) {
      yield { page: at, present: false };
      continue;
    }
    for (let entry = 0; entry < read; entry += ENTRY_BYTES) {
      // Bit 63: present; 62: swapped.
      const present = (entries.readUInt8(entry + 7) & 0xc0) !== 0;
      yield { page: at + (entry / ENTRY_BYTES) * PAGE_BYTES, present };
    }
  }
}

function readAt(file: number, into: Buffer, at: number): number {
  try {
    return readSync(file, into, 0, into.length, at);
  } catch {
    return 0;
  }
}

function occurrences(bytes: Buffer, what: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(what); at !== -1; at = bytes.indexOf(what, at + 1)) count += 1;
  return count;
}
