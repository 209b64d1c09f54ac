import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { SealexecError } from "./errors.ts";
import { expectOwnSignal } from "./signals.ts";

/** @throws "usage" where there is something of this name already */
export function refuseExisting(file: string): void {
  if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) throw exists(file);
}

/**
 * Writes a file of mode 0600, whole or not at all: under another name beside it, then moved to its own.
 *
 * @param replace whether a file of this name may be replaced
 * @throws "usage" where there is one and it may not; "config" where the folder cannot be written
 */
export function writePrivateFile(file: string, bytes: Uint8Array, replace: boolean): void {
  const draft = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString("hex")}`);
  try {
    const fd = openSync(draft, "wx", 0o600);
    try {
      writeFileSync(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (replace) renameSync(draft, file);
    // Unlike rename(2), link(2) fails where the name is taken, also by somebody quicker than us.
    else linkSync(draft, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw exists(file);
    if (code === "EFBIG") expectOwnSignal("SIGXFSZ");
    throw new SealexecError("config", `${file}: cannot be written (${code ?? "error"})`, {
      hint: "name a file in a folder that this user can write",
      cause: error,
    });
  } finally {
    removeDraft(draft);
  }
}

function removeDraft(draft: string): void {
  try {
    unlinkSync(draft);
  } catch {
    // Renamed away, or never made.
  }
}

function exists(file: string): SealexecError {
  return new SealexecError("usage", `${file}: is there already`, {
    hint: "name another file, or say --force",
  });
}
