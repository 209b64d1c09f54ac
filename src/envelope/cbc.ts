/**
 * AES-256-CBC with PKCS #7 padding, what Ruby's first client wrote. Reading only.
 *
 * **CBC is not authenticated**: whoever can write the object can change what it decrypts to, and
 * nothing here can tell. It is read only with `--accept kms-cbc`
 * (s3-encryption/decryption.md, Legacy Decryption).
 */
import { createDecipheriv } from "node:crypto";
import { SealexecError } from "../base/errors.ts";
import { CBC_BLOCK_BYTES, type EnvelopeCbc } from "./format.ts";

/**
 * @param dataKey 32 bytes
 * @param body whole blocks of 16 bytes, at least one
 * @throws SealexecError "data", with one message for every failure: which check failed would tell
 *   a forger about the padding
 */
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
    // Without a cause, which would tell padding from length.
    throw new SealexecError(
      "data",
      "body cannot be decrypted: the object or its key was replaced or damaged",
    );
  }
}

/** @throws SealexecError "data" when the body is not whole blocks, which anyone can see without the key */
export function checkCbcBody(body: Uint8Array): void {
  if (body.length === 0 || body.length % CBC_BLOCK_BYTES !== 0)
    throw new SealexecError("data", `body is ${body.length} bytes, not whole blocks of ${CBC_BLOCK_BYTES}`);
}
