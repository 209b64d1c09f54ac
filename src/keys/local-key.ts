/** The file of a local key: it opens sealed files where there is no KMS (a laptop, a test, a fork's CI). */
import { randomBytes } from "node:crypto";
import { realpathSync, statSync, statfsSync } from "node:fs";
import { LOCAL_KEY_BYTES } from "../envelope/local-key.ts";
import { SealexecError } from "../base/errors.ts";
import { readSmallFile, whyUnread } from "../base/files/read.ts";

// statfs(2): in memory, as secrets are mounted; who can reach it is the mount's affair.
const TMPFS = 0x0102_1994;
// In memory on many machines, and everybody's.
const SHARED_FOLDERS = /^\/(?:dev|tmp|var\/tmp)\//;

/** The 32 bytes of a local key: its file is one line of base64. The caller's `step` names the path. */
export function readLocalKey(path: string): Uint8Array {
  const line = textOf(path).replace(/\r?\n$/, "");
  const key = Buffer.from(line, "base64");
  if (key.length === LOCAL_KEY_BYTES && key.toString("base64") === line) return key;
  const hint = "it is one line of base64, as sealexec keygen writes it";
  throw new SealexecError("config", "not a local key", { hint });
}

/** A fresh key, as its file holds it. */
export function makeLocalKey(): string {
  return `${randomBytes(LOCAL_KEY_BYTES).toString("base64")}\n`;
}

function textOf(path: string): string {
  try {
    if ((statSync(path).mode & 0o077) === 0 || isMountedSecret(path))
      return readSmallFile(path).toString("latin1");
  } catch (error) {
    const kind = (error as NodeJS.ErrnoException).code === "ENOENT" ? "missing" : "config";
    const hint = "name the key's file, or make one: sealexec keygen FILE";
    throw new SealexecError(kind, `cannot be read (${whyUnread(error)})`, { hint, cause: error });
  }
  throw new SealexecError("config", "others than its owner can read it", { hint: `chmod 600 ${path}` });
}

function isMountedSecret(path: string): boolean {
  return statfsSync(path).type === TMPFS && !SHARED_FOLDERS.test(realpathSync(path));
}
