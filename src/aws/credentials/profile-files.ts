/** Files that the SDK reads for a profile, by its own way of reading: none may be one that keeps it waiting for ever. */
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../base/env.ts";
import { SealexecError } from "../../base/errors.ts";
import { refuseUnreadable, whyUnread } from "../../base/files/read.ts";
import { profileChain } from "../endpoint/profile.ts";

/** @throws "config" where a token file of the profile, or of those that it takes its credentials from, is no regular file */
export function checkProfileFiles(env: Environment): void {
  for (const { name, entries } of profileChain(env)) {
    const file = entries.get("web_identity_token_file");
    if (file !== undefined) check(file, `profile ${name}: its web_identity_token_file`);
  }
  for (const folder of cacheFolders(env)) {
    for (const file of filesIn(folder)) check(join(folder, file), "a cached login");
  }
}

// Where `aws sso login` and `aws login` leave their tokens, by the AWS SDKs and Tools Reference Guide.
function cacheFolders(env: Environment): string[] {
  const home = env["HOME"] ?? homedir();
  return [join(home, ".aws/sso/cache"), env["AWS_LOGIN_CACHE_DIRECTORY"] ?? join(home, ".aws/login/cache")];
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
}

function check(file: string, what: string): void {
  try {
    refuseUnreadable(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // One that is not there is the SDK's to speak of.
    if (code !== "ENOTFILE" && code !== "EISDIR") return;
    throw new SealexecError("config", `${what}: ${file} cannot be read (${whyUnread(error)})`, {
      hint: "name a regular file that this user can read",
      cause: error,
    });
  }
}
