/** Which version of KV a mount is of, asked as the vault command asks it. */
import { SealexecError } from "../../base/errors.ts";
import type { VaultClient } from "../../vault/client.ts";
import { VaultRefusal, objectOf } from "../../vault/refusal.ts";
import type { VaultRef } from "./ref.ts";

/**
 * Asks `sys/internal/ui/mounts/MOUNT`, which any token may that has a policy for something in the mount. undefined: Vault
 * does not say (a token without any, or a proxy that lets only some paths through).
 * Source: HashiCorp Vault HTTP API, "/sys/internal/ui/mounts".
 *
 * @throws "config" where the mount is not a KV engine
 */
export async function findKvVersion({ mount }: VaultRef, vault: VaultClient): Promise<1 | 2 | undefined> {
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
    if (located || !(cause instanceof VaultRefusal)) throw error;
    if (cause.status === 403 || cause.status === 404) return undefined;
    throw error;
  }
}

function notKv(mount: string, type: unknown): SealexecError {
  const shown =
    typeof type === "string" && /^[a-z0-9_-]{1,32}$/.test(type) ? `an engine of type ${type}` : "";
  return new SealexecError("config", `${mount} is ${shown || "something else"}, not a KV engine`, {
    hint: "name the mount of a KV engine: vault secrets list",
  });
}
