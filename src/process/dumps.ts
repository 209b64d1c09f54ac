/**
 * No secrets in a core file: from its start to exec the process leaves none, or one without its memory. CMD
 * is what it would be without sealexec: execve(2) makes it dumpable again, and the filter is put back.
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { Libc } from "./libc.ts";

const FILTER = "/proc/self/coredump_filter";

/** @returns what is to be called right before exec */
export function forbidDumps(libc: Libc | undefined): () => void {
  if (libc !== undefined) {
    libc.forbidDumps();
    return () => {};
  }
  // No prctl(2) on Node. core(5): which mappings a core file holds is a mask, inherited across exec; 0 leaves
  // out all memory, stacks and heaps among it.
  const before = readFilter();
  if (before === undefined || !writeFilter("0")) return () => {};
  return () => void writeFilter(`0x${before}`);
}

function readFilter(): string | undefined {
  try {
    return readFileSync(FILTER, "latin1").trim();
  } catch {
    return undefined;
  }
}

function writeFilter(mask: string): boolean {
  try {
    writeFileSync(FILTER, mask, { flag: "r+" });
    return true;
  } catch {
    return false;
  }
}
