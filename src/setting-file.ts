/** Files that a setting names and that are read whole: keys, tokens, sealed files. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import type { Stats } from "node:fs";

/** Far more than a key or a token takes. */
const SMALL_BYTES = 64 * 1024;

/**
 * Reads a regular file of at most `largestBytes`, 64 KiB unless told. A pipe or a device could keep the whole process
 * waiting, deaf to its deadline and to signals.
 *
 * @param judge throws where the file that was opened is not to be believed; a link is not followed then ("ELOOP")
 * @throws as node:fs does, with a `code`; "ENOTFILE" for what is no regular file, "EFBIG" for a larger one
 */
export function readSmallFile(
  path: string,
  largestBytes = SMALL_BYTES,
  judge?: (stat: Stats) => void,
): Buffer {
  const follow = judge === undefined ? 0 : constants.O_NOFOLLOW;
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | follow);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw Object.assign(new Error("not a regular file"), { code: "ENOTFILE" });
    judge?.(stat);
    if (stat.size > largestBytes) throw Object.assign(new Error("too large"), { code: "EFBIG" });
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}
