// A secret of a KV secrets engine. Source: HashiCorp Vault HTTP API, "KV secrets engine - version 1 (API)"
// and "- version 2 (API)", and "/sys/internal/ui/mounts", which the vault command asks as well.
import { createHash } from "node:crypto";
import { defined } from "../../base/defined.ts";
import { SealexecError } from "../../base/errors.ts";
import { JsonLiteral } from "../../text/json-scan.ts";
import type { VaultClient } from "../../vault/client.ts";
import { VaultRefusal, objectOf } from "../../vault/refusal.ts";
import type { Json } from "../../vault/refusal.ts";
import type { VaultRef } from "./ref.ts";

/** Which version of KV a mount is of. */
export type KvVersion = 1 | 2;

export interface VaultSecret {
  readonly data: Json;
  /** KV v2 only */
  readonly versionId?: string;
  readonly kv: KvVersion;
  /** what tells this state of it from any other */
  readonly validator: string;
}

/** Throws as `read` of a source. */
export async function readSecret(ref: VaultRef, vault: VaultClient): Promise<VaultSecret> {
  const kv = await findKvVersion(ref.mount, vault);
  return kv === undefined ? readEither(ref, vault) : READERS[kv](ref, vault);
}

/** By the version of KV. One attempt is for who looks again and again, and needs no retries. */
export const READERS = { 1: readV1, 2: readV2 } as const;

// Any token may ask that has a policy for something in the mount. undefined: Vault does not say (a token
// without any, or a proxy that lets only some paths through).
async function findKvVersion(mount: string, vault: VaultClient): Promise<KvVersion | undefined> {
  try {
    const answer = await vault.read({ path: `sys/internal/ui/mounts/${mount}` });
    const data = objectOf(answer["data"]);
    if (data === undefined) return undefined;
    const { type } = data;
    // "generic" is what KV version 1 was called before Vault 0.8.
    if (type !== "kv" && type !== "generic") throw notKv(mount, type);
    return objectOf(data["options"])?.["version"] === "2" ? 2 : 1;
  } catch (error) {
    const { cause, located } = error as SealexecError;
    // What has a place of its own is about the token: it was not even asked for the mount.
    const isRefused = !located && cause instanceof VaultRefusal;
    if (isRefused && (cause.status === 403 || cause.status === 404)) return undefined;
    throw error;
  }
}

/** Version 2 is asked first, and 1 if nothing is found so. */
async function readEither(ref: VaultRef, vault: VaultClient): Promise<VaultSecret> {
  try {
    return await readV2(ref, vault);
  } catch (error) {
    const { kind, cause } = error as SealexecError;
    const unlike = cause instanceof NotV2 || (cause instanceof VaultRefusal && goneOf(cause) === undefined);
    if (ref.version !== undefined || !unlike || (kind !== "missing" && kind !== "denied")) throw error;
    try {
      return await readV1(ref, vault);
    } catch (second) {
      // Of two refusals the one that says "denied" has the way out.
      throw kind === "denied" ? error : second;
    }
  }
}

async function readV1(ref: VaultRef, vault: VaultClient, mostAttempts?: number): Promise<VaultSecret> {
  const { mount, path, version } = ref;
  if (version !== undefined) {
    const says = `no version ${version}: ${mount} is of KV version 1, which keeps none`;
    const hint = "leave version out, or upgrade it: vault kv enable-versioning MOUNT";
    throw new SealexecError("missing", says, { hint });
  }
  const answer = await vault.read({
    path: `${mount}/${path}`,
    ...defined({ mostAttempts }),
    explain: (refusal, operation) =>
      isNothing(refusal) ? nothingThere(ref, `${operation}: 404`, refusal) : undefined,
  });
  const data = objectOf(answer["data"]);
  if (data === undefined) throw unlikeKv();
  // There are no versions to compare.
  return { data, kv: 1, validator: createHash("sha256").update(JSON.stringify(data)).digest("base64") };
}

async function readV2(ref: VaultRef, vault: VaultClient, mostAttempts?: number): Promise<VaultSecret> {
  const { mount, path, version } = ref;
  const answer = await vault.read({
    path: `${mount}/data/${path}`,
    ...(version === undefined ? {} : { query: { version: String(version) } }),
    ...defined({ mostAttempts }),
    explain: (refusal, operation) =>
      isNothing(refusal) ? explainV2(ref, refusal, `${operation}: 404`) : undefined,
  });
  const outer = objectOf(answer["data"]);
  const [data, metadata] = [objectOf(outer?.["data"]), objectOf(outer?.["metadata"])];
  if (data === undefined || metadata === undefined) throw unlikeKv();
  const { version: number, created_time: made } = metadata;
  const versionId = number instanceof JsonLiteral && /^\d{1,9}$/.test(number.text) ? number.text : "unknown";
  // A secret whose versions were all deleted begins with version 1 again.
  return { data, versionId, kv: 2, validator: `${versionId} ${typeof made === "string" ? made : ""}` };
}

/** Nothing is there. Of a mount that is not there, Vault says so in words. */
function isNothing(refusal: VaultRefusal): boolean {
  return refusal.status === 404 && !refusal.says(/route|unsupported path/);
}

/** A 404 of version 2 says in its metadata what became of the version; without any there is none. */
function explainV2(ref: VaultRef, refusal: VaultRefusal, details: string): SealexecError {
  const gone = goneOf(refusal);
  if (gone === undefined && ref.version === undefined) return nothingThere(ref, details, refusal);
  const [says, hint] =
    gone === undefined
      ? [
          `no version ${ref.version} of a secret at this path`,
          "see which there are: vault kv metadata get; old versions are dropped behind max_versions",
        ]
      : GONE[gone];
  return new SealexecError("missing", `${says} (${details})`, { hint, cause: refusal });
}

const GONE = {
  destroyed: [
    "this version was destroyed",
    "it cannot be had back: name another with ?version=N, or write it again (vault kv put)",
  ],
  deleted: ["this version was deleted", "bring it back (vault kv undelete), or name another with ?version=N"],
} as const;

function goneOf({ answer }: VaultRefusal): keyof typeof GONE | undefined {
  const metadata = objectOf(objectOf(answer["data"])?.["metadata"]);
  if (metadata === undefined) return undefined;
  return metadata["destroyed"] === true ? "destroyed" : "deleted";
}

function nothingThere({ path }: VaultRef, details: string, cause: VaultRefusal): SealexecError {
  const hint = path.startsWith("data/")
    ? "leave data/ out of the path: the URI has it as vault kv get has it"
    : "check mount, path and VAULT_NAMESPACE (vault kv get), or put it there: vault kv put";
  return new SealexecError("missing", `no such secret (${details})`, { hint, cause });
}

function notKv(mount: string, type: unknown): SealexecError {
  const isWord = typeof type === "string" && /^[a-z0-9_-]{1,32}$/.test(type);
  const shown = isWord ? `an engine of type ${type}` : "something else";
  const hint = "name the mount of a KV engine: vault secrets list";
  return new SealexecError("config", `${mount} is ${shown}, not a KV engine`, { hint });
}

class NotV2 extends Error {}

function unlikeKv(): SealexecError {
  const told = { hint: "check mount and path: vault kv get", cause: new NotV2() };
  return new SealexecError("missing", "what is there is not a secret of a KV engine", told);
}
