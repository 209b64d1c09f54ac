/** Variables of the vault command. Source: Vault documentation, "Vault CLI: Environment variables". */
import type { Environment } from "../base/env.ts";
import { parseEndpoint } from "../http/rules.ts";
import { SealexecError } from "../base/errors.ts";
import { readSmallFile, whyUnread } from "../base/files/read.ts";

export interface VaultSettings {
  readonly address: URL;
  readonly namespace: string | undefined;
}

// What Go's strconv.ParseBool takes for no; whatever cannot be read is taken for yes.
const NO = new Set(["", "0", "f", "F", "false", "False", "FALSE"]);

export function isOn(env: Environment, name: "VAULT_SKIP_VERIFY" | "VAULT_DISABLE_REDIRECTS"): boolean {
  return !NO.has(env[name] ?? "");
}

/** @throws "config" if VAULT_ADDR is missing or may not be asked, or certificates would go unchecked */
export function readSettings(env: Environment): VaultSettings {
  if (isOn(env, "VAULT_SKIP_VERIFY")) {
    throw new SealexecError("config", "VAULT_SKIP_VERIFY is set, and certificates are always verified", {
      hint: "unset it; where the CA is your own, name its PEM file in VAULT_CACERT",
    });
  }
  const hint = "set it to the address of Vault, such as https://vault.example.com:8200";
  const address = parseEndpoint("VAULT_ADDR", need(env, "VAULT_ADDR", hint), env);
  return { address, namespace: namespaceOf(env) };
}

function namespaceOf(env: Environment): string | undefined {
  const namespace = env["VAULT_NAMESPACE"] ?? "";
  if (namespace === "") return undefined;
  if (/^[\x21-\x7e]{1,1024}$/.test(namespace)) return namespace;
  throw new SealexecError("config", "VAULT_NAMESPACE is not the name of a namespace", {
    hint: "for example admin/team-a/",
  });
}

/** A setting that must be there. */
export function need(env: Environment, name: string, hint: string): string {
  const value = env[name] ?? "";
  if (value !== "") return value;
  throw new SealexecError("config", `${name} is missing`, { hint });
}

/** What a file that the environment names holds, without the white space around it. */
export function readSettingFile(name: string, file: string): string {
  try {
    return readSmallFile(file).toString("utf8").trim();
  } catch (error) {
    throw unreadable(name, file, error);
  }
}

export function unreadable(name: string, file: string, error: unknown): SealexecError {
  return new SealexecError("config", `${name}: ${file} cannot be read (${whyUnread(error)})`, {
    hint: "mount it where this user can read it",
    cause: error,
  });
}
