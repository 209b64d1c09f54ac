import { variablesOf } from "../../dialects/json.ts";
import { SealexecError } from "../../errors.ts";
import type { Variables } from "../../secret.ts";
import type { Json } from "../../vault/refusal.ts";
import type { Content, Source, Store, Tools } from "../source.ts";
import { readSecret } from "./read.ts";
import { formatVaultUri, parseVaultUri } from "./ref.ts";
import type { VaultRef } from "./ref.ts";

/** Secrets in a KV engine of HashiCorp Vault: `vault://MOUNT/PATH[?version=N][&as=NAME][&flatten=_][#KEY]`. */
export const store: Store = { parse: (uri) => vaultSource(parseVaultUri(uri)) };

function vaultSource(ref: VaultRef): Source {
  return { uri: formatVaultUri(ref), gives: "variables", read: (tools) => read(ref, tools) };
}

async function read(ref: VaultRef, tools: Tools): Promise<Content> {
  const { data, detail } = await readSecret(ref, await tools.vault());
  return { kind: "variables", variables: variablesIn(data, ref), detail };
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
