import { variablesOf } from "../../text/json.ts";
import { SealexecError } from "../../base/errors.ts";
import type { Variables } from "../../base/secret.ts";
import type { Json } from "../../vault/refusal.ts";
import type { Content, Store, StoreSource, Tools } from "../source.ts";
import { readAgain, readSecret } from "./read.ts";
import type { VaultSecret } from "./read.ts";
import { VAULT_GRAMMAR, formatVaultUri, vaultRef } from "./ref.ts";
import type { VaultRef } from "./ref.ts";

/** Secrets in a KV engine of HashiCorp Vault. */
export const vault: Store = { grammar: VAULT_GRAMMAR, source: (parsed) => vaultSource(vaultRef(parsed)) };

function vaultSource(ref: VaultRef): StoreSource {
  // Of the mount, as the first read found it.
  let kv: 1 | 2 | undefined;
  const readNow = async (tools: Tools): Promise<VaultSecret> => {
    const secret = await readSecret(ref, await tools.vault());
    kv = secret.kv;
    return secret;
  };
  const readOnce = async (tools: Tools): Promise<VaultSecret> =>
    kv === undefined ? readNow(tools) : readAgain(ref, await tools.vault(), kv);
  return {
    uri: formatVaultUri(ref),
    gives: "variables",
    read: async (tools) => contentOf(await readNow(tools), ref),
    ...(ref.version === undefined
      ? {
          // Only the secret itself tells: its metadata take a policy of their own.
          look: async (validator, tools) => {
            const now = (await readOnce(tools)).validator;
            return now === validator ? undefined : now;
          },
        }
      : {}),
  };
}

function contentOf({ data, detail, versionId, validator }: VaultSecret, ref: VaultRef): Content {
  return { kind: "variables", variables: variablesIn(data, ref), detail, versionId, validator };
}

function variablesIn(data: Json, { pick, flatten }: VaultRef): Variables {
  if (pick === undefined) return variablesOf(data, flatten === undefined ? {} : { flatten });
  if (!Object.hasOwn(data, pick.key)) {
    throw new SealexecError("missing", `the secret has no key ${pick.key}`, {
      hint: "check the #KEY of the URI: vault kv get shows the keys",
    });
  }
  return variablesOf({ [pick.name]: data[pick.key] });
}
