/** Small files that settings name: keys and tokens. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

const LARGEST_BYTES = 64 * 1024;

/**
 * Reads a regular file of at most 64 KiB. A pipe or a device could keep the whole process waiting, deaf to its deadline
 * and to signals.
 *
 * @throws as node:fs does, with a `code`; "ENOTFILE" for what is no regular file, "EFBIG" for a larger one
 */
export function readSmallFile(path: string): Buffer {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw Object.assign(new Error("not a regular file"), { code: "ENOTFILE" });
    if (stat.size > LARGEST_BYTES) throw Object.assign(new Error("too large"), { code: "EFBIG" });
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}
