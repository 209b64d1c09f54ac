import type { Environment } from "../base/env.ts";
import type { Proof } from "./call.ts";
import { need, readSettingFile } from "./settings.ts";

/** Source: HashiCorp Vault HTTP API, "AppRole auth method: Login with AppRole". */
export function proveByAppRole(env: Environment): Proof {
  const file = env["VAULT_SECRET_ID_FILE"] ?? "";
  const secretId =
    file === ""
      ? need(env, "VAULT_SECRET_ID", "set it, or VAULT_SECRET_ID_FILE, beside VAULT_ROLE_ID")
      : readSettingFile("VAULT_SECRET_ID_FILE", file);
  return {
    body: {
      role_id: need(env, "VAULT_ROLE_ID", "the role_id of VAULT_AUTH=approle"),
      secret_id: secretId,
    },
    hint: "check VAULT_ROLE_ID, and that the secret id has not expired or been used up",
  };
}
