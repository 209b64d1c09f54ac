/**
 * A data key wrapped with a local AES key instead of by KMS: wrapping algorithm AES/GCM, code 02 in v3.
 * Source: s3-encryption/materials, AES/GCM Keyring: a random 12-byte nonce, the ciphertext, a 16-byte tag; the content
 * algorithm's name is the additional authenticated data.
 */
import { randomBytes } from "node:crypto";
import { SealexecError } from "../errors.ts";
import { DATA_KEY_BYTES, GCM_IV_BYTES, GCM_TAG_BYTES, V3_CONTENT_ALGORITHM } from "./format.ts";
import { decryptGcm, encryptGcm } from "./gcm.ts";

/** Length of a local key, bytes. */
export const LOCAL_KEY_BYTES = 32;

const WRAPPED_BYTES = GCM_IV_BYTES + DATA_KEY_BYTES + GCM_TAG_BYTES;
const AAD = Buffer.from(V3_CONTENT_ALGORITHM);

/**
 * @param localKey 32 bytes
 * @returns a fresh data key of 32 bytes, and the same wrapped, 60 bytes
 */
export function generateLocalDataKey(localKey: Uint8Array): { dataKey: Uint8Array; wrappedKey: Uint8Array } {
  const dataKey = randomBytes(DATA_KEY_BYTES);
  const nonce = randomBytes(GCM_IV_BYTES);
  return { dataKey, wrappedKey: Buffer.concat([nonce, encryptGcm(localKey, nonce, dataKey, AAD)]) };
}

/**
 * @param localKey 32 bytes
 * @returns the data key, 32 bytes
 * @throws SealexecError "data" where it was wrapped with another key, or was changed
 */
export function unwrapLocalDataKey(localKey: Uint8Array, wrappedKey: Uint8Array): Uint8Array {
  if (wrappedKey.length !== WRAPPED_BYTES) {
    throw new SealexecError("data", `x-amz-3 is ${wrappedKey.length} bytes, not ${WRAPPED_BYTES}`);
  }
  const nonce = wrappedKey.subarray(0, GCM_IV_BYTES);
  try {
    return decryptGcm(localKey, nonce, wrappedKey.subarray(GCM_IV_BYTES), AAD);
  } catch (cause) {
    throw new SealexecError(
      "data",
      "the data key does not open: sealed under another local key, or changed",
      {
        hint: "name the key that it was sealed under (--key local:PATH), or seal it again",
        cause,
      },
    );
  }
}
