/** What the flags say of how a push is sealed, and by whom. */
import type { Context } from "../base/context.ts";
import { SealexecError } from "../base/errors.ts";
import { needsAws, parseKey } from "../keys/key.ts";
import type { Key } from "../keys/key.ts";
import { parseCredentials } from "../sources/credentials.ts";
import { RunTools } from "../sources/tools.ts";
import type { PushFlags } from "./push-flags.ts";

/** The key that the flags or the environment name. */
export function keyOf(flags: PushFlags, context: Context): Key | undefined {
  const key = flags.key ?? context.env["SEALEXEC_KEY"];
  return key === undefined ? undefined : parseKey(key);
}

/** The same where a store encrypts by itself, with a key of KMS or its own. */
export function storeKeyOf(store: string, flags: PushFlags, context: Context): Key | undefined {
  const key = keyOf(flags, context);
  if (needsAws(key)) return key;
  throw new SealexecError("usage", `a local key cannot encrypt in ${store}`, {
    hint: "give --key KEY of KMS, or unset SEALEXEC_KEY for the store's own",
  });
}

/** What a push asks AWS with, as the flags and the environment describe it. */
export function openTools(key: Key | undefined, flags: PushFlags, context: Context): RunTools {
  return new RunTools(context, key, parseCredentials(flags.credentials, context.env));
}

/** Refuses the flags that are about sealing, where the store encrypts by itself. */
export function refuseSealingFlags(store: string, flags: PushFlags): void {
  const given = {
    "--format v2": flags.format === "v2",
    "--no-bind": !flags.bind,
    "--context": flags.context !== undefined,
    "--revision": flags.revision !== undefined,
  };
  for (const [flag, isGiven] of Object.entries(given)) {
    if (isGiven)
      throw new SealexecError("usage", `${flag} is for sealed objects: ${store} has no such thing`);
  }
}

/** @throws "usage" where neither the flags nor the environment name a key */
export function chosenKey(flags: PushFlags, context: Context): Key {
  const key = keyOf(flags, context);
  if (key !== undefined) return key;
  throw new SealexecError("usage", "no key: give --key KEY or set SEALEXEC_KEY", {
    hint: "a KMS key id, ARN or alias, such as alias/my-app",
  });
}
