/**
 * v3, what we write: AES-256-GCM under a key derived from the data key, with a commitment to the data key.
 * Sources: s3-encryption/data-format/content-metadata.md (V3), key-derivation.md, decryption.md.
 */
import { hkdfSync, timingSafeEqual } from "node:crypto";
import { encodeBase64 } from "./base64.ts";
import { checkAlgorithm } from "./context.ts";
import { bytesField, contextField, presentOf, requiredField, wrappedKeyField } from "./fields.ts";
import type { Fields } from "./fields.ts";
import {
  NAME_KMS_KEY,
  NAME_LOCAL_KEY,
  COMMITMENT_BYTES,
  type EnvelopeV3,
  GCM_IV_BYTES,
  MESSAGE_ID_BYTES,
  type Metadata,
  type SealInput,
  V3_AES_GCM_WRAP,
  V3_CONTENT_ALGORITHM,
  V3_KMS_CONTEXT_WRAP,
} from "./format.ts";
import { decryptGcm, encryptGcm } from "./gcm.ts";
import { invalid, quote } from "./invalid.ts";
import { stringifyAscii } from "./string-map.ts";

/** The id of ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY, 2 bytes: starts the HKDF info, and is the AAD. */
export const ALGORITHM_SUITE_ID: Uint8Array = Uint8Array.of(0x00, 0x73);

// key-derivation.md, HKDF Operation: the IV is twelve 0x01 bytes (early revisions said zeros). It may be
// fixed because the message id gives every object a key of its own.
const CONTENT_IV = new Uint8Array(GCM_IV_BYTES).fill(1);

const RAW_KEY_WRAPS: Record<string, string> = { [V3_AES_GCM_WRAP]: "AES-GCM", "22": "RSA-OAEP-SHA1" };

type Content = Pick<EnvelopeV3, "messageId" | "commitment">;

/** What is in the object's own metadata wherever the rest is (metadata-strategy.md, V3 Instruction Files). */
export function parseV3Content(fields: Fields): Content {
  const algorithm = requiredField(fields, "x-amz-c");
  if (algorithm !== V3_CONTENT_ALGORITHM)
    throw invalid(`x-amz-c is ${quote(algorithm)}, not ${V3_CONTENT_ALGORITHM}`);
  const commitment = bytesField(fields, "x-amz-d", COMMITMENT_BYTES);
  const messageId = bytesField(fields, "x-amz-i", MESSAGE_ID_BYTES);
  // encryption.md, Cipher Initialization: all zeros mean that none was generated.
  if (messageId.every((byte) => byte === 0)) throw invalid("x-amz-i is all zeros");
  return { messageId, commitment };
}

/** @param localKey a data key that a local key has wrapped is expected, and no other */
export function parseV3(content: Content, wrap: Fields, localKey = false): EnvelopeV3 {
  const wrappedKey = wrappedKeyField(wrap, "x-amz-3");
  const code = requiredField(wrap, "x-amz-w");
  if (localKey) {
    checkLocalWrap(code, wrap);
    // content-metadata.md, V3 Only: what describes a raw key's wrap is in x-amz-m, if anything does.
    const encryptionContext = contextField(wrap, "x-amz-m");
    if (Object.keys(encryptionContext).length > 0)
      checkAlgorithm(encryptionContext, V3_CONTENT_ALGORITHM, "x-amz-c");
    return { format: "v3", wrap: "local", wrappedKey, encryptionContext, ...content };
  }
  checkWrap(code);
  const encryptionContext = contextField(wrap, "x-amz-t");
  checkAlgorithm(encryptionContext, V3_CONTENT_ALGORITHM, "x-amz-c");
  return { format: "v3", wrap: "kms", wrappedKey, encryptionContext, ...content };
}

export function openV3(envelope: EnvelopeV3, dataKey: Uint8Array, body: Uint8Array): Uint8Array {
  // decryption.md, Decrypting With Commitment: in constant time, and before the encryption key is derived.
  const commitment = deriveCommitment(dataKey, envelope.messageId);
  if (envelope.commitment.length !== COMMITMENT_BYTES || !timingSafeEqual(commitment, envelope.commitment)) {
    const hint = "restore an earlier version of the object, or seal it again";
    throw invalid("commitment does not match: the object or its key was replaced", { hint });
  }
  const key = deriveEncryptionKey(dataKey, envelope.messageId);
  try {
    return decryptGcm(key, CONTENT_IV, body, ALGORITHM_SUITE_ID);
  } finally {
    key.fill(0);
  }
}

/** @param messageId 28 bytes, never used before with this data key */
export function sealV3(input: SealInput, messageId: Uint8Array): { metadata: Metadata; body: Uint8Array } {
  const commitment = deriveCommitment(input.dataKey, messageId);
  const key = deriveEncryptionKey(input.dataKey, messageId);
  try {
    return {
      metadata: {
        "x-amz-3": encodeBase64(input.wrappedKey),
        ...(input.wrap === "local"
          ? { "x-amz-w": V3_AES_GCM_WRAP, "x-amz-m": stringifyAscii(input.encryptionContext) }
          : { "x-amz-w": V3_KMS_CONTEXT_WRAP, "x-amz-t": stringifyAscii(input.encryptionContext) }),
        "x-amz-c": V3_CONTENT_ALGORITHM,
        "x-amz-d": encodeBase64(commitment),
        "x-amz-i": encodeBase64(messageId),
      },
      body: encryptGcm(key, CONTENT_IV, input.plaintext, ALGORITHM_SUITE_ID),
    };
  } finally {
    key.fill(0);
  }
}

// content-metadata.md, V3 Only: x-amz-t is of kms+context alone.
function checkLocalWrap(code: string, wrap: Fields): void {
  if (code === V3_KMS_CONTEXT_WRAP)
    throw invalid("x-amz-w is 12: its data key is wrapped by KMS, not with a local key", NAME_KMS_KEY);
  if (code !== V3_AES_GCM_WRAP) throw invalid(`x-amz-w is ${quote(code)}, not ${V3_AES_GCM_WRAP} (AES-GCM)`);
  if (presentOf(wrap, ["x-amz-t"]).length > 0)
    throw invalid("x-amz-t is there, but the context of a local key is in x-amz-m");
}

function checkWrap(code: string): void {
  if (code === V3_KMS_CONTEXT_WRAP) return;
  const raw = Object.hasOwn(RAW_KEY_WRAPS, code) ? RAW_KEY_WRAPS[code] : undefined;
  if (raw !== undefined) {
    const details = code === V3_AES_GCM_WRAP ? NAME_LOCAL_KEY : {};
    throw invalid(`x-amz-w is ${code} (${raw}): the data key is wrapped with a raw key, not by KMS`, details);
  }
  throw invalid(`x-amz-w is ${quote(code)}, not ${V3_KMS_CONTEXT_WRAP} (kms+context)`);
}

// The two keys, by HKDF-SHA512 (RFC 5869) with the message id as its salt: key-derivation.md, HKDF Operation.

/** The key commitment, 28 bytes: stored beside the object, and not a secret. */
export function deriveCommitment(dataKey: Uint8Array, messageId: Uint8Array): Uint8Array {
  return derive(dataKey, messageId, "COMMITKEY", COMMITMENT_BYTES);
}

/** The AES-256 key of the body, 32 bytes. The caller wipes it. */
export function deriveEncryptionKey(dataKey: Uint8Array, messageId: Uint8Array): Uint8Array {
  return derive(dataKey, messageId, "DERIVEKEY", 32);
}

function derive(dataKey: Uint8Array, messageId: Uint8Array, label: string, lengthBytes: number): Uint8Array {
  const info = Buffer.concat([ALGORITHM_SUITE_ID, Buffer.from(label)]);
  return new Uint8Array(hkdfSync("sha512", dataKey, messageId, info, lengthBytes));
}
