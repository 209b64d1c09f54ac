import { randomBytes } from "node:crypto";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import type { Stats } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SealexecError } from "../errors.ts";
import { effectiveUid } from "./user.ts";
import { expectOwnSignal } from "../signals.ts";

const FORCE = "name another file, or say --force";

export function refuseExisting(file: string, hint = FORCE): void {
  if (find(file) !== undefined) throw exists(file, hint);
}

/** Which file it is, for whom it was written: another one of its name is another. */
export interface FileId {
  readonly dev: number;
  readonly ino: number;
}

/** What is there, if anything. Refused, as it would be gone: a device, a pipe, a link, another's file. */
export function refuseForeign(file: string, where = `${file}: `): FileId | undefined {
  const stats = find(file, where);
  if (stats === undefined) return undefined;
  if (stats.isFile() && stats.uid === effectiveUid()) return stats;
  const what = stats.isFile() ? "belongs to another user" : "is not a regular file";
  const hint = stats.isSymbolicLink() ? "name the file that the link leads to" : "name another file";
  throw new SealexecError("config", `${where}${what}, and is not replaced`, { hint });
}

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/** Whether nobody but this user and root can write to what has this mode and owner. */
export function isOnlyOurs({ mode, uid: owner }: Stats, uid: number): boolean {
  return (mode & OTHERS_WRITE) === 0 && isTrusted(owner, uid);
}

/** Whether nobody but this user and root can replace files of this user in such a folder. */
export function keepsOurs(folder: Stats, uid: number): boolean {
  return isOnlyOurs(folder, uid) || ((folder.mode & STICKY) !== 0 && isTrusted(folder.uid, uid));
}

function isTrusted(owner: number, uid: number): boolean {
  return owner === uid || owner === 0;
}

/**
 * Writes a file of mode 0600, whole or not at all.
 * @param replace what of this name may be replaced: "ours" is a file of this user
 */
export function writePrivateFile(
  file: string,
  bytes: Uint8Array,
  replace: "nothing" | "ours" | "anything",
): FileId {
  if (replace === "ours") refuseForeign(file);
  try {
    // Unlike rename(2), link(2) fails if the name is taken, also by somebody quicker than us.
    const move = replace === "nothing" ? linkSync : renameSync;
    return writeWhole(file, bytes, 0o600, (draft) => move(draft, file));
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "EEXIST" ? exists(file, FORCE) : unwritable(error, file);
  }
}

/** Writes under another name beside the file, and has it moved to its own. No failure leaves a draft. */
export function writeWhole(
  file: string,
  bytes: Uint8Array,
  mode: number,
  move: (draft: string) => void,
): FileId {
  const draft = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString("hex")}`);
  try {
    const fd = openSync(draft, "wx", mode);
    let written: FileId;
    try {
      writeFileSync(fd, bytes);
      fsyncSync(fd);
      written = fstatSync(fd);
    } finally {
      closeSync(fd);
    }
    move(draft);
    return written;
  } finally {
    removeDraft(draft);
  }
}

function removeDraft(draft: string): void {
  try {
    unlinkSync(draft);
  } catch {
    // Moved away, or never made.
  }
}

/** What is there. Perhaps nothing can be: a path through a file, a name too long, a circle of links. */
function find(file: string, where = `${file}: `): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch (error) {
    throw unwritable(error, file, where);
  }
}

/** What the system said of a file that is to be written: it is about the name that was given. */
export function unwritable(error: unknown, file: string, where = `${file}: `): SealexecError {
  const { code = "error" } = error as NodeJS.ErrnoException;
  if (code === "EFBIG") expectOwnSignal("SIGXFSZ");
  const other = HINTS[code] ?? "name a file in a folder that this user can write";
  const hint = code === "ENOENT" ? `mkdir -p ${dirname(file)}` : other;
  return new SealexecError("config", `${where}cannot be written (${code})`, { hint, cause: error });
}

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: "free some space there, or name a file elsewhere",
  EDQUOT: "free some space there (this user's quota is used up), or name a file elsewhere",
  EFBIG: "raise the limit of the size of files (ulimit -f)",
};

function exists(file: string, hint: string): SealexecError {
  return new SealexecError("usage", `${file}: is there already`, { hint });
}
