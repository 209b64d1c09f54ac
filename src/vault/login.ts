/** Logging in to Vault, by the method that VAULT_AUTH names. The code of each is loaded where it is used. */
import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import type { LoadIdentity, Proof, SendLogin } from "./call.ts";
import { leaseMs } from "./lease.ts";
import { objectOf } from "./refusal.ts";
import type { VaultRefusal } from "./refusal.ts";

type Method = (env: Environment, identity: LoadIdentity) => Proof | Promise<Proof>;

const METHODS: Readonly<Record<string, () => Promise<Method>>> = {
  approle: async () => (await import("./login-approle.ts")).proveByAppRole,
  kubernetes: async () => (await import("./login-kubernetes.ts")).proveByKubernetes,
  aws: async () => (await import("./login-aws.ts")).proveByAws,
};

export interface LoggedIn {
  readonly text: string;
  /** for people */
  readonly from: string;
  /** how long the token is good, milliseconds */
  readonly leaseMs: number;
}

/** @throws "config", "denied" where Vault does not take the proof, "unavailable", "timeout" */
export async function logIn(send: SendLogin, env: Environment, identity: LoadIdentity): Promise<LoggedIn> {
  const name = env["VAULT_AUTH"] ?? "";
  const load = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  if (load === undefined) {
    throw new SealexecError("config", "VAULT_AUTH names no method that is known", {
      hint: `it is one of ${Object.keys(METHODS).join(", ")}`,
    });
  }
  const mount = mountOf(env, name);
  const prove = await load();
  const { body, hint } = await prove(env, identity);
  const explain = (refusal: VaultRefusal, operation: string): SealexecError | undefined =>
    refusal.status === 400 || refusal.status === 401 || refusal.status === 403
      ? new SealexecError("denied", `the login was refused (${operation}: ${refusal.status})`, {
          hint,
          cause: refusal,
        })
      : undefined;
  const answer = await send({ path: `auth/${mount}/login`, body, explain });
  const auth = objectOf(answer["auth"]);
  const text = auth?.["client_token"];
  if (typeof text !== "string" || text === "") {
    // With several factors, "auth" holds what is still to be done.
    throw new SealexecError("denied", `the login by ${name} gave no token`, {
      hint: "logins with a second factor or a wrapped answer are not supported",
    });
  }
  return { text, from: `login by ${name}`, leaseMs: leaseMs(auth?.["lease_duration"]) };
}

function mountOf(env: Environment, name: string): string {
  const mount = (env["VAULT_AUTH_MOUNT"] ?? "").replace(/^\/+|\/+$/g, "") || name;
  const parts = mount.split("/");
  if (/^[\x21-\x7e]{1,256}$/.test(mount) && parts.every((part) => !["", ".", ".."].includes(part)))
    return mount;
  throw new SealexecError("config", "VAULT_AUTH_MOUNT is not the path of a mount", {
    hint: "the path of vault auth list, without auth/",
  });
}
