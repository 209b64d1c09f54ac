import { openCbc } from "./cbc.ts";
import { DATA_KEY_BYTES, type Envelope } from "./format.ts";
import { decryptGcm } from "./gcm.ts";
import { invalid } from "./invalid.ts";
import { openV3 } from "./v3.ts";

/**
 * The plaintext of an object, whole and verified (but for kms-cbc, which nothing verifies).
 * @param envelope what readEnvelope gave and checkContext passed
 * @param dataKey 32 bytes; with kms-direct the plaintext. The caller wipes it: the result shares no memory
 */
export function openEnvelope(envelope: Envelope, dataKey: Uint8Array, body: Uint8Array): Uint8Array {
  if (envelope.format === "kms-direct") return Uint8Array.from(dataKey);
  checkDataKey(dataKey);
  switch (envelope.format) {
    case "v3":
      return openV3(envelope, dataKey, body);
    case "v2":
    case "kms-gcm":
      // encryption.md, ALG_AES_256_GCM_IV12_TAG16_NO_KDF: the data key itself, and no AAD.
      return decryptGcm(dataKey, envelope.iv, body);
    case "kms-cbc":
      return openCbc(envelope, dataKey, body);
  }
}

export function checkDataKey(dataKey: Uint8Array): void {
  if (dataKey.length !== DATA_KEY_BYTES)
    throw invalid(`data key is ${dataKey.length} bytes, not ${DATA_KEY_BYTES}`);
}
