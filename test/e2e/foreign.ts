/** What may stand in the place of a file that is to be written, and is nobody's to replace. */
import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";

export const notRoot =
  process.getuid?.() === 0 ? false : "makes devices and another user's files: needs root";

export const FOREIGN: readonly ((file: string) => void)[] = [
  // The numbers of /dev/full.
  (file) => void execFileSync("mknod", [file, "c", "1", "7"]),
  (file) => void execFileSync("mkfifo", [file]),
  (file) => symlinkSync("/dev/null", file),
  (file) => mkdirSync(file),
  (file) => {
    writeFileSync(file, "theirs");
    chownSync(file, 12_345, 12_345);
  },
];
