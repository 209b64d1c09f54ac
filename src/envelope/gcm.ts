/** AES-256-GCM, for every format that is authenticated. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { GCM_TAG_BYTES } from "./format.ts";
import { invalid } from "./invalid.ts";

const NO_AAD = new Uint8Array(0);

/** @returns ciphertext ‖ tag, 16 bytes longer than the plaintext */
export function encryptGcm(
  key: Uint8Array,
  iv: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array = NO_AAD,
): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: GCM_TAG_BYTES });
  cipher.setAAD(aad);
  // s3-encryption/encryption.md: the tag is appended to the ciphertext.
  const parts = [cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
  return new Uint8Array(Buffer.concat(parts));
}

/** @returns the plaintext, once its tag has been verified; what was decrypted is wiped otherwise */
export function decryptGcm(
  key: Uint8Array,
  iv: Uint8Array,
  body: Uint8Array,
  aad: Uint8Array = NO_AAD,
): Uint8Array {
  checkGcmBody(body);
  const tagAt = body.length - GCM_TAG_BYTES;
  const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: GCM_TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(body.subarray(tagAt));
  const unverified = decipher.update(body.subarray(0, tagAt));
  try {
    // GCM is a stream: final only compares the tags, and returns nothing.
    decipher.final();
  } catch (cause) {
    unverified.fill(0);
    throw invalid("authentication tag does not match: the object was changed or damaged", {
      hint: "restore an earlier version of the object, or seal it again",
      cause,
    });
  }
  return new Uint8Array(unverified.buffer, unverified.byteOffset, unverified.byteLength);
}

export function checkGcmBody(body: Uint8Array): void {
  if (body.length < GCM_TAG_BYTES)
    throw invalid(`body is ${body.length} bytes, too short for its authentication tag`);
}
