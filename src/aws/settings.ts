/** Settings of AWS that are on or off, and where its shared files are: AWS SDKs and Tools Reference Guide. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { isSet } from "../base/env.ts";
import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import { readSmallFile, refuseUnreadable, unreadable, whyUnread } from "../base/files/read.ts";

// Anything else is refused: to guess would be to switch FIPS off without a word.
/** In any case, as the SDK for Go and botocore read it; undefined if it is not there, or empty. */
export function parseFlag(name: string, value: string | undefined): boolean | undefined {
  if (value === undefined || value === "") return undefined;
  const text = value.toLowerCase();
  if (text === "true" || text === "false") return text === "true";
  throw new SealexecError("config", `${name} is neither true nor false`, { hint: "set it to one of them" });
}

export function isTrue(env: Environment, name: string): boolean {
  return parseFlag(name, env[name]) ?? false;
}

export const LARGEST_SHARED_BYTES = 4 * 1024 * 1024;

const VARIABLE_OF = { config: "AWS_CONFIG_FILE", credentials: "AWS_SHARED_CREDENTIALS_FILE" } as const;

type SharedKind = keyof typeof VARIABLE_OF;

/** @throws "config" where one would keep the SDK waiting for ever, or be passed over although it is there */
export function hasSharedFiles(env: Environment): boolean {
  const found = (["credentials", "config"] as const).map((kind) => isThere(env, kind));
  return found.includes(true);
}

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
    // A user without a line in /etc/passwd has none.
    return undefined;
  }
}

/** The token in the file that a variable names; undefined: none is named. It is rotated, and so never kept. */
export function readTokenFile(env: Environment, variable: string): string | undefined {
  const file = env[variable];
  if (file === undefined || file === "") return undefined;
  try {
    return readSmallFile(file).toString("utf8").trim();
  } catch (error) {
    const hint = "mount the service account's token where this user can read it";
    throw unreadable(variable, file, error, hint);
  }
}
