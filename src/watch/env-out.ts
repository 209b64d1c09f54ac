/**
 * `--env-out PATH`: the variables as a .env that CMD reads again when it is signalled. Only here secrets are
 * written without being asked for each time: in memory only, for our own user only, whole or not at all.
 */
import { statSync, statfsSync, unlinkSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { printDotenv } from "../text/dotenv/print.ts";
import { SealexecError } from "../base/errors.ts";
import { effectiveUid } from "../base/files/user.ts";
import type { Logger } from "../base/logger.ts";
import { keepsOurs, refuseForeign, writePrivateFile, type FileId } from "../base/files/write.ts";
import type { Variables } from "../base/secret.ts";

/** File systems that lie in memory. Source: statfs(2), f_type: TMPFS_MAGIC, RAMFS_MAGIC. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

function checkEnvOut(path: string): void {
  const folder = dirname(path);
  let type: number;
  let stats: Stats;
  try {
    ({ type } = statfsSync(folder));
    stats = statSync(folder);
  } catch (error) {
    throw new SealexecError("config", `--env-out: ${folder} is no folder that can be looked at`, {
      hint: "mount a tmpfs there, or name a file in one",
      cause: error,
    });
  }
  if (!IN_MEMORY.has(type)) {
    const hint = "secrets are not written to a disk: name a file on a tmpfs, such as one in /dev/shm or /run";
    throw new SealexecError("config", `--env-out: ${path} does not lie on a tmpfs`, { hint });
  }
  if (keepsOurs(stats, effectiveUid())) return;
  const hint = `name a file in a folder that only this user can write to: mkdir -m 700 ${folder}/sealexec`;
  throw new SealexecError("config", `--env-out: others can replace files in ${folder}`, { hint });
}

/** The file of one run, from its first writing until CMD has ended. */
export class EnvOut {
  readonly #path: string;
  /** the one that was written last */
  #written: FileId | undefined;

  constructor(path: string, log: Logger) {
    this.#path = path;
    checkEnvOut(path);
    if (refuseForeign(path) === undefined) return;
    log.warn(
      `--env-out: ${path} is there already and is replaced; another sealexec may have it: give each its own`,
    );
  }

  /** Mode 0600, under another name and then moved, so that nobody reads half of it. */
  write(variables: Variables): FileId {
    checkEnvOut(this.#path);
    this.#refuseAnother();
    const bytes = Buffer.from(printDotenv(variables));
    try {
      this.#written = writePrivateFile(this.#path, bytes, "ours");
      return this.#written;
    } finally {
      bytes.fill(0);
    }
  }

  /** Nobody is there any more to read it. Another file of this name is not ours to remove. */
  remove(): void {
    try {
      if (isSame(this.#written, refuseForeign(this.#path))) unlinkSync(this.#path);
    } catch {
      // CMD has removed it, or something else is there.
    }
  }

  #refuseAnother(): void {
    const found = refuseForeign(this.#path);
    if (this.#written === undefined || found === undefined || isSame(this.#written, found)) return;
    const hint = "two sealexecs with one file? give each its own";
    throw new SealexecError("config", `--env-out: ${this.#path} was replaced by somebody else`, { hint });
  }
}

function isSame(one: FileId | undefined, other: FileId | undefined): boolean {
  return one !== undefined && one.dev === other?.dev && one.ino === other.ino;
}
