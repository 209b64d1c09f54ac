/** The runtime's own code in memory, through Bun's FFI: in the compiled binary only. */
import { readFileSync } from "node:fs";
import { openLibrary } from "./libc.ts";

const SYMBOLS = { madvise: { args: ["usize", "usize", "i32"], returns: "i32" } };
type Symbols = Readonly<Record<keyof typeof SYMBOLS, (...args: number[]) => number>>;

// madvise(2): the same number on x86-64 and arm64.
const MADV_DONTNEED = 4;

/** Gives back memory of code that has run: the page cache still has it. Undefined on Node, and off Linux. */
export function loadCodeDropper(): (() => void) | undefined {
  return openLibrary(SYMBOLS, (_ffi, libc: Symbols) => () => {
    for (const [start, end] of codeOfRuntime()) libc.madvise(start, end - start, MADV_DONTNEED);
  });
}

/** proc(5): the read-only, executable mappings of our own file, also once it is removed. Nothing in them can have been changed. */
function codeOfRuntime(): (readonly [start: number, end: number])[] {
  try {
    const lines = readFileSync("/proc/self/maps", "latin1").split("\n");
    return lines.flatMap((line) => {
      const [, start, end, file] = /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ \d+ +(\/.*)$/.exec(line) ?? [];
      const isOurs = file === process.execPath || file === `${process.execPath} (deleted)`;
      return isOurs && start !== undefined && end !== undefined
        ? [[Number.parseInt(start, 16), Number.parseInt(end, 16)] as const]
        : [];
    });
  } catch {
    return [];
  }
}
