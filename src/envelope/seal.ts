import { randomBytes } from "node:crypto";
import { SealexecError } from "../base/errors.ts";
import { checkAlgorithm } from "./context.ts";
import {
  GCM_CONTENT_ALGORITHM,
  GCM_IV_BYTES,
  MESSAGE_ID_BYTES,
  type Metadata,
  type SealInput,
  V3_CONTENT_ALGORITHM,
  WRAPPED_KEY_MAX_BYTES,
} from "./format.ts";
import { invalid } from "./invalid.ts";
import { checkDataKey } from "./open.ts";
import { sealV2 } from "./v2.ts";
import { sealV3 } from "./v3.ts";

/**
 * @returns what to upload: metadata in printable ASCII, and the body, 16 bytes longer than the plaintext.
 *   Nothing but the ciphertext is computed from the plaintext: no checksum, and no length but its own
 */
export function seal(format: "v3" | "v2", input: SealInput): { metadata: Metadata; body: Uint8Array } {
  checkDataKey(input.dataKey);
  const { length } = input.wrappedKey;
  if (length === 0 || length > WRAPPED_KEY_MAX_BYTES)
    throw invalid(`wrapped data key is ${length} bytes, which no KMS ciphertext is`);
  switch (format) {
    case "v3":
      if (input.wrap === undefined || Object.keys(input.encryptionContext).length > 0)
        checkAlgorithm(input.encryptionContext, V3_CONTENT_ALGORITHM, "x-amz-c");
      return sealV3(input, randomNonZero(MESSAGE_ID_BYTES));
    case "v2":
      if (input.wrap === "local")
        throw new SealexecError("usage", "v2 is for KMS keys: a local key seals v3 only");
      checkAlgorithm(input.encryptionContext, GCM_CONTENT_ALGORITHM, "x-amz-cek-alg");
      return sealV2(input, randomNonZero(GCM_IV_BYTES));
  }
}

/** encryption.md, Cipher Initialization: all zeros would mean that nothing was generated. */
function randomNonZero(lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(randomBytes(lengthBytes));
  if (bytes.every((byte) => byte === 0))
    throw new SealexecError("internal", "the random source gave only zeros");
  return bytes;
}
