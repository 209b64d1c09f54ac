import { defined } from "../../base/defined.ts";
import { SealexecError } from "../../base/errors.ts";
import type { Variables } from "../../base/secret.ts";
import { variablesOf } from "../../text/json.ts";
import type { Json } from "../../vault/refusal.ts";
import type { Store, StoreSource, Tools } from "../source.ts";
import { READERS, readSecret } from "./read.ts";
import type { KvVersion, VaultSecret } from "./read.ts";
import { VAULT_GRAMMAR, formatVaultUri, vaultRef } from "./ref.ts";
import type { VaultRef } from "./ref.ts";

/** Secrets in a KV engine of HashiCorp Vault. */
export const vault: Store = { grammar: VAULT_GRAMMAR, source: (parsed) => vaultSource(vaultRef(parsed)) };

function vaultSource(ref: VaultRef): StoreSource {
  // Of the mount, as the last read found it.
  let kv: KvVersion | undefined;
  const readNow = async (tools: Tools): Promise<VaultSecret> => {
    const secret = await readSecret(ref, await tools.vault());
    kv = secret.kv;
    return secret;
  };
  // Only the secret itself tells whether it is another: its metadata take a policy of their own.
  const look = async (validator: string, tools: Tools): Promise<string | undefined> => {
    const found = await (kv === undefined ? readNow(tools) : READERS[kv](ref, await tools.vault(), 1));
    return found.validator === validator ? undefined : found.validator;
  };
  return {
    uri: formatVaultUri(ref),
    gives: "variables",
    read: async (tools) => {
      const { data, versionId, validator, kv: found } = await readNow(tools);
      const state = { versionId, validator, detail: `KV v${found}` };
      return { kind: "variables", variables: variablesIn(data, ref), ...state };
    },
    ...(ref.version === undefined ? { look } : {}),
  };
}

function variablesIn(data: Json, { pick, flatten }: VaultRef): Variables {
  if (pick === undefined) return variablesOf(data, defined({ flatten }));
  if (Object.hasOwn(data, pick.key)) return variablesOf({ [pick.name]: data[pick.key] });
  const hint = "check the #KEY of the URI: vault kv get shows the keys";
  throw new SealexecError("missing", `the secret has no key ${pick.key}`, { hint });
}
