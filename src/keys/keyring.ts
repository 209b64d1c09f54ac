/** A data key and the key that wraps it: of KMS, or local. Nobody else has to tell the two apart. */
import type { AwsSession, Located } from "../aws/session.ts";
import type { Context } from "../base/context.ts";
import { generateLocalDataKey, unwrapLocalDataKey } from "../envelope/index.ts";
import type { EncryptionContext, Envelope } from "../envelope/index.ts";
import { kmsKeyOf } from "./key.ts";
import type { Key } from "./key.ts";
import { decryptDataKey } from "./kms/decrypt.ts";
import type { DataKey } from "./kms/decrypt.ts";
import { generateDataKey } from "./kms/generate.ts";
import type { NewDataKey } from "./kms/generate.ts";
import { readLocalKey } from "./local-key.ts";

/** What KMS is asked with. */
export interface Asking {
  readonly session: AwsSession;
  readonly context: Context;
}

/** The data key of an envelope. The caller wipes it. */
export async function unwrap(
  key: Key | undefined,
  { wrappedKey, encryptionContext }: Envelope,
  located: Located,
  { session, context }: Asking,
): Promise<DataKey> {
  if (key?.kind === "local") {
    const plaintext = withLocalKey(key.path, (localKey) =>
      unwrapLocalDataKey(localKey, wrappedKey, encryptionContext),
    );
    return { plaintext, keyArn: key.text };
  }
  return decryptDataKey(wrappedKey, encryptionContext, kmsKeyOf(key), located, session, context);
}

/** A new data key, and the same wrapped with the context bound to it. The caller wipes it. */
export async function wrap(
  key: Key,
  encryptionContext: EncryptionContext,
  located: Located,
  { session, context }: Asking,
): Promise<NewDataKey> {
  if (key.kind === "kms") return generateDataKey(key.text, encryptionContext, located, session, context);
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
