/**
 * The two keys of v3, by HKDF-SHA512 (RFC 5869) with the message id as its salt.
 * Source: s3-encryption/key-derivation.md, HKDF Operation.
 */
import { hkdfSync } from "node:crypto";
import { COMMITMENT_BYTES } from "./format.ts";

const ENCRYPTION_KEY_BYTES = 32;

/** The id of ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY, 2 bytes: starts the HKDF info, and is the AAD. */
export const ALGORITHM_SUITE_ID: Uint8Array = Uint8Array.of(0x00, 0x73);

/** The key commitment, 28 bytes: stored beside the object, and not a secret. */
export function deriveCommitment(dataKey: Uint8Array, messageId: Uint8Array): Uint8Array {
  return derive(dataKey, messageId, "COMMITKEY", COMMITMENT_BYTES);
}

/** The AES-256 key of the body, 32 bytes. The caller wipes it. */
export function deriveEncryptionKey(dataKey: Uint8Array, messageId: Uint8Array): Uint8Array {
  return derive(dataKey, messageId, "DERIVEKEY", ENCRYPTION_KEY_BYTES);
}

function derive(dataKey: Uint8Array, messageId: Uint8Array, label: string, lengthBytes: number): Uint8Array {
  const info = Buffer.concat([ALGORITHM_SUITE_ID, Buffer.from(label)]);
  return new Uint8Array(hkdfSync("sha512", dataKey, messageId, info, lengthBytes));
}
