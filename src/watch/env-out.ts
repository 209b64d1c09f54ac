/**
 * `--env-out PATH`: the variables as a .env that CMD reads again when it is signalled. The one place where sealexec writes
 * what is secret without being asked for each time: in memory only, for its own user only, whole or not at all.
 */
import { statfsSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { printDotenv } from "../dotenv/print.ts";
import { SealexecError } from "../errors.ts";
import { writePrivateFile } from "../private-file.ts";
import type { Variables } from "../secret.ts";

/** File systems that lie in memory. Source: statfs(2), f_type. */
const IN_MEMORY: ReadonlySet<number> = new Set([
  0x01021994, // TMPFS_MAGIC
  0x858458f6, // RAMFS_MAGIC
]);

/** @throws "config" where the file would not lie in memory */
export function checkEnvOut(path: string): void {
  const folder = dirname(path);
  let type: number;
  try {
    ({ type } = statfsSync(folder));
  } catch (error) {
    throw new SealexecError("config", `--env-out: ${folder} is no folder that can be looked at`, {
      hint: "mount a tmpfs there, or name a file in one",
      cause: error,
    });
  }
  if (IN_MEMORY.has(type)) return;
  throw new SealexecError("config", `--env-out: ${path} does not lie on a tmpfs`, {
    hint: "secrets are not written to a disk: name a file on a tmpfs, such as one in /dev/shm or /run",
  });
}

/**
 * Writes the variables: mode 0600, under another name and then moved, so that nobody reads half of them.
 *
 * @throws "config" where it cannot be written, or would not lie in memory by now
 */
export function writeEnvOut(path: string, variables: Variables): void {
  checkEnvOut(path);
  const bytes = Buffer.from(printDotenv(variables));
  writePrivateFile(path, bytes, true);
  bytes.fill(0);
}

/** Nobody is there any more to read it. */
export function removeEnvOut(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // CMD has removed it, or never had it.
  }
}
