import type { Environment } from "../base/env.ts";
import type { Proof } from "./call.ts";
import { need, readSettingFile } from "./settings.ts";

// Kubernetes documentation, "Accessing the Kubernetes API from a Pod".
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/** Source: HashiCorp Vault HTTP API, "Kubernetes auth method: Login". */
export function proveByKubernetes(env: Environment): Proof {
  const role = need(env, "VAULT_ROLE", "the role of VAULT_AUTH=kubernetes");
  const jwt = readSettingFile("VAULT_K8S_TOKEN_FILE", env["VAULT_K8S_TOKEN_FILE"] || SERVICE_ACCOUNT);
  return {
    body: { role, jwt },
    hint: "check VAULT_ROLE, and that it is bound to this service account and namespace, with the token's audience",
  };
}
