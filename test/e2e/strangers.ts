/** Objects that other clients write, or that push never writes: whole and genuine, under the key of the loopback AWS, but bound to no place. */
import { createCipheriv, randomBytes } from "node:crypto";
import type { Aws } from "../aws/server.ts";
import { sealBlob } from "../aws/kms-blob.ts";
import { seal, writerContext } from "../../src/envelope/index.ts";
import type { Metadata } from "../../src/envelope/index.ts";
import { KEY } from "./harness.ts";

export type StrangersFormat = "v3" | "v2" | "kms-gcm" | "kms-cbc" | "kms-direct";

export interface Stranger {
  readonly metadata: Metadata;
  readonly body: Uint8Array;
}

/** What another client with the right to use the key puts into S3. */
export function stranger(
  aws: Aws,
  format: StrangersFormat,
  text: string,
  user: Readonly<Record<string, string>> = {},
): Stranger {
  const plaintext = Buffer.from(text);
  const wrap = (secret: Buffer, context: Readonly<Record<string, string>>): Buffer =>
    sealBlob(aws.kms.find(KEY, aws.region), aws.kms.macKey, secret, context);
  if (format === "kms-direct") return { metadata: {}, body: wrap(plaintext, {}) };
  const dataKey = randomBytes(32);
  if (format === "v3" || format === "v2") {
    const encryptionContext = writerContext(format, user);
    const wrappedKey = wrap(dataKey, encryptionContext);
    return seal(format, { plaintext, dataKey, wrappedKey, encryptionContext });
  }
  const context = { kms_cmk_id: KEY };
  const isGcm = format === "kms-gcm";
  const iv = randomBytes(isGcm ? 12 : 16);
  const metadata = {
    "x-amz-key-v2": wrap(dataKey, context).toString("base64"),
    "x-amz-wrap-alg": "kms",
    "x-amz-matdesc": JSON.stringify(context),
    "x-amz-cek-alg": isGcm ? "AES/GCM/NoPadding" : "AES/CBC/PKCS5Padding",
    "x-amz-iv": iv.toString("base64"),
    ...(isGcm ? { "x-amz-tag-len": "128" } : {}),
  };
  if (isGcm) {
    const cipher = createCipheriv("aes-256-gcm", dataKey, iv);
    return { metadata, body: Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]) };
  }
  const cipher = createCipheriv("aes-256-cbc", dataKey, iv);
  return { metadata, body: Buffer.concat([cipher.update(plaintext), cipher.final()]) };
}

/** As raw AES keys wrap elsewhere (AES/GCM, code 02): the content algorithm is all that the wrap authenticates. */
export function sealedWithoutContext(localKey: Buffer, text: string): Stranger {
  const [dataKey, nonce] = [randomBytes(32), randomBytes(12)];
  const cipher = createCipheriv("aes-256-gcm", localKey, nonce);
  cipher.setAAD(Buffer.from("115"));
  const wrappedKey = Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
  return seal("v3", {
    plaintext: Buffer.from(text),
    dataKey,
    wrappedKey,
    wrap: "local",
    encryptionContext: {},
  });
}
