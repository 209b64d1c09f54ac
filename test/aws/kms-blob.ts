/**
 * Ciphertext blobs. KMS documents only that a blob is opaque, names its key, and is bound to the encryption context
 * as AAD ("Encryption context", KMS Developer Guide; "KMS cryptographic details"). This is a form of our own with the
 * length of the real one: 184 bytes for a data key of 32.
 *
 *     magic 5 | key id 16 | salt 32 | zeros 39 | HMAC-SHA256 of those 32 | IV 12 | ciphertext | GCM tag 16
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

export type EncryptionContext = Readonly<Record<string, string>>;

const MAGIC = Buffer.from([1, 2, 2, 0, 0x78]);
const BARE_HEADER_BYTES = 92;
const HEADER_BYTES = BARE_HEADER_BYTES + 32;

export interface SealingKey {
  /** UUID */
  readonly id: string;
  /** 32 bytes */
  readonly material: Buffer;
}

/** The AAD: pairs in order of name, each length-prefixed, so that no two contexts look the same. */
export function canonicalContext(context: EncryptionContext): Buffer {
  const names = Object.keys(context).sort();
  return Buffer.from(JSON.stringify(names.map((name) => [name, context[name]])));
}

/** @param macKey of the service: tells its own blobs from anything else */
export function sealBlob(
  key: SealingKey,
  macKey: Buffer,
  plaintext: Buffer,
  context: EncryptionContext,
): Buffer {
  const bare = Buffer.alloc(BARE_HEADER_BYTES);
  MAGIC.copy(bare);
  Buffer.from(key.id.replaceAll("-", ""), "hex").copy(bare, MAGIC.length);
  const salt = randomBytes(32);
  salt.copy(bare, MAGIC.length + 16);
  const header = Buffer.concat([bare, mac(macKey, bare)]);
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", mac(key.material, salt), iv);
  cipher.setAAD(Buffer.concat([header, canonicalContext(context)]));
  return Buffer.concat([header, iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The UUID of the key that made it; undefined if this service never made such a blob. */
export function blobKeyId(blob: Buffer, macKey: Buffer): string | undefined {
  if (blob.length < HEADER_BYTES + 28) return undefined;
  const bare = blob.subarray(0, BARE_HEADER_BYTES);
  if (!timingSafeEqual(mac(macKey, bare), blob.subarray(BARE_HEADER_BYTES, HEADER_BYTES))) return undefined;
  const hex = blob.toString("hex", MAGIC.length, MAGIC.length + 16);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5");
}

/** undefined: a bit is wrong, or the context is another. */
export function openBlob(key: SealingKey, blob: Buffer, context: EncryptionContext): Buffer | undefined {
  const header = blob.subarray(0, HEADER_BYTES);
  const salt = header.subarray(MAGIC.length + 16, MAGIC.length + 48);
  const iv = blob.subarray(HEADER_BYTES, HEADER_BYTES + 12);
  const decipher = createDecipheriv("aes-256-gcm", mac(key.material, salt), iv);
  decipher.setAAD(Buffer.concat([header, canonicalContext(context)]));
  decipher.setAuthTag(blob.subarray(-16));
  try {
    return Buffer.concat([decipher.update(blob.subarray(HEADER_BYTES + 12, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function mac(key: Buffer, bytes: Buffer): Buffer {
  return createHmac("sha256", key).update(bytes).digest();
}
