/**
 * AES-256-CBC with PKCS #7 padding, what Ruby's first client wrote. **It is not authenticated**: whoever can
 * write the object can change what it decrypts to. Read only with `--accept kms-cbc`
 * (s3-encryption/decryption.md, Legacy Decryption).
 */
import { createDecipheriv } from "node:crypto";
import { CBC_BLOCK_BYTES, type EnvelopeCbc } from "./format.ts";
import { invalid } from "./invalid.ts";

export function openCbc(envelope: EnvelopeCbc, dataKey: Uint8Array, body: Uint8Array): Uint8Array {
  try {
    const decipher = createDecipheriv("aes-256-cbc", dataKey, envelope.iv);
    const blocks = decipher.update(body);
    try {
      return new Uint8Array(Buffer.concat([blocks, decipher.final()]));
    } finally {
      blocks.fill(0);
    }
  } catch {
    // One message and no cause: which check failed would tell a forger about the padding.
    throw invalid("body cannot be decrypted: the object or its key was replaced or damaged");
  }
}

export function checkCbcBody(body: Uint8Array): void {
  if (body.length === 0 || body.length % CBC_BLOCK_BYTES !== 0)
    throw invalid(`body is ${body.length} bytes, not whole blocks of ${CBC_BLOCK_BYTES}`);
}
