/** Where the shared config and credentials files are, and whether they can be read: AWS SDKs and Tools Reference Guide. */
import { join } from "node:path";
import { homedir } from "node:os";
import { existsSync } from "node:fs";
import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import { refuseUnreadable, whyUnread } from "../base/files/read.ts";
import { isSet } from "../base/env.ts";

/**
 * Whether there is a shared config or credentials file at all. Asked before the SDK is let near either.
 *
 * @throws "config" where one of them would keep it waiting for ever, or be passed over by it although it is there
 */
export function hasSharedFiles(env: Environment): boolean {
  const found = (["credentials", "config"] as const).map((kind) => isThere(env, kind));
  return found.includes(true);
}

export const LARGEST_SHARED_BYTES = 4 * 1024 * 1024;

function isThere(env: Environment, kind: SharedKind): boolean {
  const file = sharedFile(env, kind);
  if (file === undefined) return false;
  // In the home of another user, or of none: nobody has said that there is one.
  if (!isSet(env, VARIABLE_OF[kind]) && !existsSync(file)) return false;
  try {
    refuseUnreadable(file, LARGEST_SHARED_BYTES);
    return true;
  } catch (error) {
    // One that is named and not there is an empty one to the SDKs.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw new SealexecError("config", `the shared file ${file} cannot be read (${whyUnread(error)})`, {
      hint: "name a file that this user can read in AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, or /dev/null for none",
      cause: error,
    });
  }
}

const VARIABLE_OF = { config: "AWS_CONFIG_FILE", credentials: "AWS_SHARED_CREDENTIALS_FILE" } as const;

type SharedKind = keyof typeof VARIABLE_OF;

/** Where a shared file would be; undefined for a user without a home. */
export function sharedFile(env: Environment, kind: SharedKind): string | undefined {
  const named = env[VARIABLE_OF[kind]];
  if (named !== undefined && named !== "") return named;
  const home = env["HOME"] ?? homeOfUser();
  return home === undefined ? undefined : join(home, ".aws", kind);
}

function homeOfUser(): string | undefined {
  try {
    return homedir();
  } catch {
    // A user without a line in /etc/passwd has no home.
    return undefined;
  }
}
