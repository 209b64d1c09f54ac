/** What a store makes of the options of a push. */
import { SealexecError } from "../base/errors.ts";
import { needsAws, type Key } from "../keys/key.ts";
import type { PushOptions } from "./target.ts";

export function chosenKey({ key }: PushOptions): Key {
  if (key !== undefined) return key;
  throw new SealexecError("usage", "no key: give --key KEY or set SEALEXEC_KEY", {
    hint: "a KMS key id, ARN or alias, such as alias/my-app",
  });
}

/** The key of KMS with which a store encrypts by itself; undefined: its own. */
export function storeKey(store: string, { key, sealingFlag }: PushOptions): Key | undefined {
  if (sealingFlag !== undefined)
    throw new SealexecError("usage", `${sealingFlag} is for sealed objects: ${store} has no such thing`);
  if (needsAws(key)) return key;
  throw new SealexecError("usage", `a local key cannot encrypt in ${store}`, {
    hint: "give --key KEY of KMS, or unset SEALEXEC_KEY for the store's own",
  });
}
