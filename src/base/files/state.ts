import { statSync } from "node:fs";
import type { Stats } from "node:fs";

/** What tells one state of a file from any other: which file it is, its size, and when it was changed (stat(2)). */
export function fileState({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
}

/** The same of what a path leads to. Throws what the system says. */
export function stateOfPath(path: string): string {
  return fileState(statSync(path));
}
