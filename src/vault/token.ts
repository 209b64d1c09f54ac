/** The run's token: VAULT_TOKEN, VAULT_TOKEN_FILE, a login (VAULT_AUTH), or what `vault login` wrote. */
import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import { readSmallFile } from "../base/files/read.ts";
import type { LoadIdentity, SendLogin, Token } from "./call.ts";
import { readSettingFile, unreadable } from "./settings.ts";

/** @throws "config" if what is configured is broken; "denied" if there is nothing, or a login was refused */
export async function findToken(
  send: SendLogin,
  env: Environment,
  identity: LoadIdentity,
  now: number,
): Promise<Token> {
  const given = env["VAULT_TOKEN"] ?? "";
  if (given !== "") return checked({ text: given, from: "VAULT_TOKEN" });
  const file = env["VAULT_TOKEN_FILE"] ?? "";
  if (file !== "")
    return checked({ text: readSettingFile("VAULT_TOKEN_FILE", file), from: `VAULT_TOKEN_FILE (${file})` });
  if ((env["VAULT_AUTH"] ?? "") !== "") {
    const { logIn } = await import("./login.ts");
    return checked(await logIn(send, env, identity, now));
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
    return "/"; // The user has no line in /etc/passwd.
  }
}

// It goes into a header.
function checked(token: Token): Token {
  if (/^[\x21-\x7e]{1,8192}$/.test(token.text)) return token;
  throw new SealexecError("config", `${token.from}: it is no token of Vault`, {
    hint: "a token is one line of letters, digits, dots, - and _",
  });
}
