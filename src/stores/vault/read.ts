/**
 * A secret of a KV secrets engine. Source: HashiCorp Vault HTTP API, "KV secrets engine - version 1 (API)" and
 * "- version 2 (API)".
 */
import { createHash } from "node:crypto";
import { JsonLiteral } from "../../text/json-scan.ts";
import { SealexecError } from "../../base/errors.ts";
import type { VaultClient } from "../../vault/client.ts";
import { VaultRefusal, objectOf } from "../../vault/refusal.ts";
import type { Json } from "../../vault/refusal.ts";
import type { VaultRef } from "./ref.ts";
import { findKvVersion } from "./version.ts";

export interface VaultSecret {
  readonly data: Json;
  /** for people: `KV v2` */
  readonly detail: string;
  /** KV v2 only */
  readonly versionId?: string;
  /** which version of KV the mount turned out to be of */
  readonly kv: 1 | 2;
  /** what tells this state of it from any other */
  readonly validator: string;
}

/** @throws "missing", "denied", "config", "unavailable", "timeout" */
export async function readSecret(ref: VaultRef, vault: VaultClient): Promise<VaultSecret> {
  switch (await findKvVersion(ref, vault)) {
    case 1:
      return readV1(ref, vault);
    case 2:
      return readV2(ref, vault);
    case undefined:
      return readEither(ref, vault);
  }
}

/**
 * The same in one request: it is known which version of KV the mount is of, and whoever looks again and again needs no
 * retries.
 */
export function readAgain(ref: VaultRef, vault: VaultClient, kv: 1 | 2): Promise<VaultSecret> {
  return kv === 1 ? readV1(ref, vault, ONCE) : readV2(ref, vault, ONCE);
}

const ONCE = { mostAttempts: 1 };

/** Vault does not say which version the engine is of: version 2 is asked first, and 1 where nothing is found so. */
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

async function readV1(ref: VaultRef, vault: VaultClient, attempts = {}): Promise<VaultSecret> {
  const { mount, path, version } = ref;
  if (version !== undefined) {
    throw new SealexecError(
      "missing",
      `no version ${version}: ${mount} is of KV version 1, which keeps none`,
      {
        hint: "leave version out, or upgrade it: vault kv enable-versioning MOUNT",
      },
    );
  }
  const explain = (refusal: VaultRefusal, operation: string): SealexecError | undefined =>
    refusal.status === 404 && !refusal.says(/route|unsupported path/)
      ? nothingThere(ref, `${operation}: 404`, refusal)
      : undefined;
  const answer = await vault.read({ path: `${mount}/${path}`, explain, ...attempts });
  const data = objectOf(answer["data"]);
  if (data === undefined) throw unlikeKv();
  return { data, detail: "KV v1", kv: 1, validator: digestOf(data) };
}

async function readV2(ref: VaultRef, vault: VaultClient, attempts = {}): Promise<VaultSecret> {
  const { mount, path, version } = ref;
  const answer = await vault.read({
    path: `${mount}/data/${path}`,
    ...attempts,
    ...(version === undefined ? {} : { query: { version: String(version) } }),
    explain: (refusal, operation) => explainV2(ref, refusal, `${operation}: ${refusal.status}`),
  });
  const outer = objectOf(answer["data"]);
  const [data, metadata] = [objectOf(outer?.["data"]), objectOf(outer?.["metadata"])];
  if (data === undefined || metadata === undefined) throw unlikeKv();
  const { version: number, created_time: made } = metadata;
  const shown = number instanceof JsonLiteral && /^\d{1,9}$/.test(number.text) ? number.text : "unknown";
  // A secret whose versions were all deleted begins with version 1 again.
  const validator = `${shown} ${typeof made === "string" ? made : ""}`;
  return { data, detail: "KV v2", versionId: shown, kv: 2, validator };
}

/** Version 1 has no versions to compare. */
function digestOf(data: Json): string {
  return createHash("sha256").update(JSON.stringify(data)).digest("base64");
}

/** A 404 of version 2 says in its metadata what became of the version; without any there is none. */
function explainV2(ref: VaultRef, refusal: VaultRefusal, details: string): SealexecError | undefined {
  if (refusal.status !== 404 || refusal.says(/route|unsupported path/)) return undefined;
  const gone = goneOf(refusal);
  if (gone === "destroyed") {
    return new SealexecError("missing", `this version was destroyed (${details})`, {
      hint: "it cannot be had back: name another with ?version=N, or write it again (vault kv put)",
      cause: refusal,
    });
  }
  if (gone === "deleted") {
    return new SealexecError("missing", `this version was deleted (${details})`, {
      hint: "bring it back (vault kv undelete), or name another with ?version=N",
      cause: refusal,
    });
  }
  if (ref.version === undefined) return nothingThere(ref, details, refusal);
  return new SealexecError("missing", `no version ${ref.version} of a secret at this path (${details})`, {
    hint: "see which there are: vault kv metadata get; old versions are dropped behind max_versions",
    cause: refusal,
  });
}

function goneOf({ answer }: VaultRefusal): "destroyed" | "deleted" | undefined {
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

class NotV2 extends Error {}

function unlikeKv(): SealexecError {
  return new SealexecError("missing", "what is there is not a secret of a KV engine", {
    hint: "check mount and path: vault kv get",
    cause: new NotV2(),
  });
}
