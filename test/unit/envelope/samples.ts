/** Genuine objects of every format, under one model KMS, and the whole way of opening one. */
import { createCipheriv, randomBytes } from "node:crypto";
import {
  ACCEPTANCES,
  type Acceptance,
  checkContext,
  type EncryptionContext,
  type Format,
  type Metadata,
  openEnvelope,
  readEnvelope,
  seal,
  type StoredObject,
  writerContext,
} from "../../../src/envelope/index.ts";
import { base64, bytes } from "./expect.ts";
import { type Kms, ModelKms } from "./model-kms.ts";

export const PLACE = "s3://bucket/app/.env";
export const EVERYTHING: ReadonlySet<Acceptance> = new Set(ACCEPTANCES);
export const V3_ONLY: ReadonlySet<Acceptance> = new Set();

/** 64 bytes: whole blocks, so that CBC padding is a block of its own. */
export const PLAINTEXT = bytes("DATABASE_URL=postgres://u:p@h/db\nSECRET=0123456789abcdef012345\n\n");

export type SealedFormat = Exclude<Format, "kms-direct">;
export const SEALED_FORMATS: readonly SealedFormat[] = ["v3", "v2", "kms-gcm", "kms-cbc"];

export interface Sample extends StoredObject {
  readonly format: SealedFormat;
  readonly plaintext: Uint8Array;
}

export interface OpenOptions {
  readonly kms: Kms;
  readonly accept?: ReadonlySet<Acceptance>;
  readonly context?: EncryptionContext | undefined;
  readonly place?: string;
  readonly instructionFile?: Uint8Array | string | undefined;
}

/** readEnvelope, checkContext, KMS, openEnvelope: as a caller does it, everything accepted unless told. */
export function open(object: StoredObject, options: OpenOptions): Uint8Array {
  const reading = readEnvelope(object, options.accept ?? EVERYTHING, options.instructionFile);
  if (reading.kind !== "envelope") throw new Error("an instruction file is needed");
  const { envelope } = reading;
  const unbound = (options.accept ?? EVERYTHING).has("unbound");
  checkContext(envelope, { context: options.context, object: options.place ?? PLACE, unbound });
  return openEnvelope(
    envelope,
    options.kms.decrypt(envelope.wrappedKey, envelope.encryptionContext),
    object.body,
  );
}

export function sample(
  format: SealedFormat,
  kms: ModelKms,
  user: EncryptionContext = { stage: "prod" },
  plaintext: Uint8Array = PLAINTEXT,
): Sample {
  switch (format) {
    case "v3":
    case "v2": {
      const encryptionContext = writerContext(format, user, PLACE);
      const sealed = seal(format, { plaintext, encryptionContext, ...kms.generate(encryptionContext) });
      return { format, plaintext, ...sealed };
    }
    case "kms-gcm":
      return { format, plaintext, ...sealKms("AES/GCM/NoPadding", kms, plaintext) };
    case "kms-cbc":
      return { format, plaintext, ...sealKms("AES/CBC/PKCS5Padding", kms, plaintext) };
  }
}

/** What clients before v2 wrote. */
function sealKms(algorithm: string, kms: ModelKms, plaintext: Uint8Array): StoredObject {
  const context = { kms_cmk_id: "alias/env" };
  const { dataKey, wrappedKey } = kms.generate(context);
  const gcm = algorithm === "AES/GCM/NoPadding";
  const iv = randomBytes(gcm ? 12 : 16);
  const metadata: Metadata = {
    "x-amz-key-v2": base64(wrappedKey),
    "x-amz-wrap-alg": "kms",
    "x-amz-matdesc": JSON.stringify(context),
    "x-amz-cek-alg": algorithm,
    "x-amz-iv": base64(iv),
  };
  if (!gcm) {
    const cipher = createCipheriv("aes-256-cbc", dataKey, iv);
    return { metadata, body: Buffer.concat([cipher.update(plaintext), cipher.final()]) };
  }
  const cipher = createCipheriv("aes-256-gcm", dataKey, iv);
  const body = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return { metadata: { ...metadata, "x-amz-tag-len": "128" }, body };
}

export function without(metadata: Metadata, ...names: readonly string[]): Metadata {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !names.includes(name)));
}

/** A field that the sample is known to have. */
export function valueOf(metadata: Metadata, name: string): string {
  const value = metadata[name];
  if (value === undefined) throw new Error(`the sample has no ${name}`);
  return value;
}
