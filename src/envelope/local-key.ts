/**
 * A data key wrapped with a local AES key: AES/GCM, code 02 in v3, as a random 12-byte nonce, the ciphertext
 * and a 16-byte tag. We authenticate the whole encryption context, as KMS does; Amazon's clients the name of
 * the content algorithm only, which is what an empty context means.
 */
import { randomBytes } from "node:crypto";
import { DATA_KEY_BYTES, GCM_IV_BYTES, GCM_TAG_BYTES, V3_CONTENT_ALGORITHM } from "./format.ts";
import type { EncryptionContext } from "./format.ts";
import { decryptGcm, encryptGcm } from "./gcm.ts";
import { invalid } from "./invalid.ts";

export const LOCAL_KEY_BYTES = 32;

const WRAPPED_BYTES = GCM_IV_BYTES + DATA_KEY_BYTES + GCM_TAG_BYTES;

/** A fresh data key of 32 bytes, and the same wrapped, 60 bytes. */
export function generateLocalDataKey(
  localKey: Uint8Array,
  encryptionContext: EncryptionContext,
): { dataKey: Uint8Array; wrappedKey: Uint8Array } {
  const dataKey = randomBytes(DATA_KEY_BYTES);
  const nonce = randomBytes(GCM_IV_BYTES);
  const wrapped = encryptGcm(localKey, nonce, dataKey, authenticated(encryptionContext));
  return { dataKey, wrappedKey: Buffer.concat([nonce, wrapped]) };
}

export function unwrapLocalDataKey(
  localKey: Uint8Array,
  wrappedKey: Uint8Array,
  encryptionContext: EncryptionContext,
): Uint8Array {
  if (wrappedKey.length !== WRAPPED_BYTES)
    throw invalid(`x-amz-3 is ${wrappedKey.length} bytes, not ${WRAPPED_BYTES}`);
  const nonce = wrappedKey.subarray(0, GCM_IV_BYTES);
  try {
    return decryptGcm(localKey, nonce, wrappedKey.subarray(GCM_IV_BYTES), authenticated(encryptionContext));
  } catch (cause) {
    throw invalid("the data key does not open: sealed under another local key, or changed", {
      hint: "name the key that it was sealed under (--key local:PATH), or seal it again",
      cause,
    });
  }
}

/** One text for one map, whatever order its pairs are stored in, and another for every other map. */
function authenticated(context: EncryptionContext): Uint8Array {
  const pairs = Object.entries(context);
  if (pairs.length === 0) return Buffer.from(V3_CONTENT_ALGORITHM);
  return Buffer.from(`sealexec local key\n${JSON.stringify(pairs.toSorted(([a], [b]) => (a < b ? -1 : 1)))}`);
}
