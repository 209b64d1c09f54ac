/** No secrets in a core file until exec: none is left, or one without memory. For CMD all is as it was. */
import { readFileSync, writeFileSync } from "node:fs";
import type { Libc } from "./libc.ts";

const FILTER = "/proc/self/coredump_filter";

/** @returns what is to be called right before exec */
export function forbidDumps(libc: Libc | undefined): () => void {
  if (libc !== undefined) {
    // execve(2) makes CMD dumpable again.
    libc.forbidDumps();
    return () => {};
  }
  // No prctl(2) on Node. core(5): a mask of the mappings that a core file holds, inherited across exec; 0: none.
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
