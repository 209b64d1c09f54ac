/** A data key and the key that wraps it: of KMS, or local. Nobody else has to tell the two apart. */
import type { Located } from "../aws/session.ts";
import { generateLocalDataKey, unwrapLocalDataKey } from "../envelope/index.ts";
import type { EncryptionContext, Envelope } from "../envelope/index.ts";
import { kmsKeyOf } from "./key.ts";
import type { Key } from "./key.ts";
import { decryptDataKey, generateDataKey } from "./kms/data-key.ts";
import type { Asking, DataKey, NewDataKey } from "./kms/data-key.ts";
import { readLocalKey } from "./local-key.ts";

/** The data key of an envelope. The caller wipes it. */
export async function unwrap(
  key: Key | undefined,
  envelope: Envelope,
  located: Located,
  asking: Asking,
): Promise<DataKey> {
  if (key?.kind !== "local") return decryptDataKey(envelope, kmsKeyOf(key), located, asking);
  const { wrappedKey, encryptionContext } = envelope;
  const plaintext = withLocalKey(key.path, (localKey) =>
    unwrapLocalDataKey(localKey, wrappedKey, encryptionContext),
  );
  return { plaintext, keyArn: key.text };
}

/** A new data key, and the same wrapped with the context bound to it. The caller wipes it. */
export async function wrap(
  key: Key,
  encryptionContext: EncryptionContext,
  located: Located,
  asking: Asking,
): Promise<NewDataKey> {
  if (key.kind === "kms") return generateDataKey(key.text, encryptionContext, located, asking);
  const made = withLocalKey(key.path, (localKey) => generateLocalDataKey(localKey, encryptionContext));
  return { plaintext: made.dataKey, wrapped: made.wrappedKey, keyArn: key.text };
}

function withLocalKey<T>(path: string, work: (localKey: Uint8Array) => T): T {
  const localKey = readLocalKey(path);
  try {
    return work(localKey);
  } finally {
    localKey.fill(0);
  }
}
