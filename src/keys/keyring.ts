import type { Envelope } from "../envelope/index.ts";
import { unwrapLocalDataKey } from "../envelope/index.ts";
import { decryptDataKey } from "./kms/decrypt.ts";
import type { DataKey } from "./kms/decrypt.ts";
import { localKeyPath } from "./key.ts";
import { readLocalKey } from "./local-key.ts";
import type { AwsSession, Located } from "../aws/session.ts";
import type { Context } from "../base/context.ts";

/** Opens the data key of an envelope: with the local key that the policy names, or by KMS. */
export async function openDataKey(
  { wrappedKey, encryptionContext }: Envelope,
  key: string | undefined,
  located: Located,
  tools: { readonly session: AwsSession; readonly context: Context },
): Promise<DataKey> {
  const path = localKeyPath(key);
  if (path === undefined) {
    return decryptDataKey(wrappedKey, encryptionContext, key, located, tools.session, tools.context);
  }
  const localKey = readLocalKey(path);
  try {
    return {
      plaintext: unwrapLocalDataKey(localKey, wrappedKey, encryptionContext),
      keyArn: `local:${path}`,
    };
  } finally {
    localKey.fill(0);
  }
}
