/** Logging in to Vault, as VAULT_AUTH says. Source: HashiCorp Vault HTTP API, "Auth methods". */
import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import { leaseMs } from "./call.ts";
import type { LoadIdentity, Proof, SendLogin, Token } from "./call.ts";
import { objectOf } from "./refusal.ts";
import { need, readSettingFile } from "./settings.ts";

type Method = (env: Environment, identity: LoadIdentity) => Proof | Promise<Proof>;

const METHODS: Readonly<Record<string, Method>> = {
  approle: (env) => {
    const file = env["VAULT_SECRET_ID_FILE"] ?? "";
    const secretId =
      file === ""
        ? need(env, "VAULT_SECRET_ID", "set it, or VAULT_SECRET_ID_FILE, beside VAULT_ROLE_ID")
        : readSettingFile("VAULT_SECRET_ID_FILE", file);
    const roleId = need(env, "VAULT_ROLE_ID", "the role_id of VAULT_AUTH=approle");
    return {
      body: { role_id: roleId, secret_id: secretId },
      hint: "check VAULT_ROLE_ID, and that the secret id has not expired or been used up",
    };
  },
  kubernetes: (env) => {
    const role = need(env, "VAULT_ROLE", "the role of VAULT_AUTH=kubernetes");
    const jwt = readSettingFile("VAULT_K8S_TOKEN_FILE", env["VAULT_K8S_TOKEN_FILE"] || SERVICE_ACCOUNT);
    return {
      body: { role, jwt },
      hint: "check VAULT_ROLE, and that it is bound to this service account and namespace, with the token's audience",
    };
  },
  // It brings the code that signs.
  aws: async (env, identity) => (await import("./login-aws.ts")).proveByAws(env, identity),
};

// Kubernetes documentation, "Accessing the Kubernetes API from a Pod".
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/** @param now by the context's clock: the lease begins before the login is sent */
export async function logIn(
  send: SendLogin,
  env: Environment,
  identity: LoadIdentity,
  now: number,
): Promise<Token> {
  const name = env["VAULT_AUTH"] ?? "";
  const prove = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  if (prove === undefined) {
    throw new SealexecError("config", "VAULT_AUTH names no method that is known", {
      hint: `it is one of ${Object.keys(METHODS).join(", ")}`,
    });
  }
  const path = `auth/${mountOf(env, name)}/login`;
  const { body, hint } = await prove(env, identity);
  const answer = await send({
    path,
    body,
    explain: (refusal, operation) =>
      [400, 401, 403].includes(refusal.status)
        ? new SealexecError("denied", `the login was refused (${operation}: ${refusal.status})`, {
            hint,
            cause: refusal,
          })
        : undefined,
  });
  const auth = objectOf(answer["auth"]);
  const text = auth?.["client_token"];
  if (typeof text === "string" && text !== "")
    return { text, from: `login by ${name}`, lease: { since: now, ms: leaseMs(auth?.["lease_duration"]) } };
  // With several factors, "auth" holds what is still to be done.
  throw new SealexecError("denied", `the login by ${name} gave no token`, {
    hint: "logins with a second factor or a wrapped answer are not supported",
  });
}

function mountOf(env: Environment, name: string): string {
  const mount = (env["VAULT_AUTH_MOUNT"] ?? "").replace(/^\/+|\/+$/g, "") || name;
  const parts = mount.split("/");
  if (/^[\x21-\x7e]{1,256}$/.test(mount) && parts.every((part) => !["", ".", ".."].includes(part)))
    return mount;
  const hint = "the path of vault auth list, without auth/";
  throw new SealexecError("config", "VAULT_AUTH_MOUNT is not the path of a mount", { hint });
}
