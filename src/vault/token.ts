/** The run's token: VAULT_TOKEN, VAULT_TOKEN_FILE, a login (VAULT_AUTH), or the file that `vault login` writes. */
import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../context.ts";
import { SealexecError } from "../errors.ts";
import { readSmallFile, whyUnread } from "../setting-file.ts";
import type { LoadIdentity, VaultClient } from "./client.ts";

export interface Token {
  readonly text: string;
  /** for people */
  readonly from: string;
  /** of a login: since when, by the context's clock, and for how long; Infinity where it does not expire */
  readonly lease?: { readonly since: number; readonly ms: number };
}

/** @throws "config" where what is configured is broken; "denied" where there is nothing, or a login was refused */
export async function findToken(
  client: VaultClient,
  env: Environment,
  identity: LoadIdentity,
  now: number,
): Promise<Token> {
  const given = env["VAULT_TOKEN"] ?? "";
  if (given !== "") return checked({ text: given, from: "VAULT_TOKEN" });
  const file = env["VAULT_TOKEN_FILE"] ?? "";
  if (file !== "") {
    return checked({ text: readSettingFile("VAULT_TOKEN_FILE", file), from: `VAULT_TOKEN_FILE (${file})` });
  }
  if ((env["VAULT_AUTH"] ?? "") !== "") {
    const { logIn } = await import("./login.ts");
    const { text, from, leaseMs } = await logIn(client, env, identity);
    return checked({ text, from, lease: { since: now, ms: leaseMs } });
  }
  return checked(tokenOfHome(env));
}

function tokenOfHome(env: Environment): Token {
  const file = join(homeOf(env), ".vault-token");
  try {
    return { text: readSmallFile(file).toString("utf8").trim(), from: file };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw unreadable("the token file", file, error);
    throw new SealexecError("denied", "no token for Vault", {
      hint: "set VAULT_TOKEN or VAULT_TOKEN_FILE, or VAULT_AUTH to aws, kubernetes or approle; on a desk, run vault login",
      cause: error,
    });
  }
}

function homeOf(env: Environment): string {
  const home = env["HOME"] ?? "";
  if (home !== "") return home;
  try {
    return homedir();
  } catch {
    // A user without a line in /etc/passwd has no home.
    return "/";
  }
}

/** What a file that the environment names holds, without the white space around it. */
export function readSettingFile(name: string, file: string): string {
  try {
    return readSmallFile(file).toString("utf8").trim();
  } catch (error) {
    throw unreadable(name, file, error);
  }
}

function unreadable(name: string, file: string, error: unknown): SealexecError {
  return new SealexecError("config", `${name}: ${file} cannot be read (${whyUnread(error)})`, {
    hint: "mount it where this user can read it",
    cause: error,
  });
}

// It goes into a header.
function checked(token: Token): Token {
  if (/^[\x21-\x7e]{1,8192}$/.test(token.text)) return token;
  throw new SealexecError("config", `${token.from}: it is no token of Vault`, {
    hint: "a token is one line of letters, digits, dots, - and _",
  });
}
