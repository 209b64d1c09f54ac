/** Source: awslabs/aws-encryption-sdk-specification, s3-encryption/data-format/content-metadata.md. */

/** Of an S3 object, the user's: lower-case keys without `x-amz-meta-`. */
export type Metadata = Readonly<Record<string, string>>;

export type EncryptionContext = Readonly<Record<string, string>>;

export interface StoredObject {
  readonly metadata: Metadata;
  readonly body: Uint8Array;
}

export type Format = "v3" | "v2" | "kms-gcm" | "kms-cbc" | "kms-direct";

/** What is read only by name (`--accept`): older formats, and what is bound to no place. */
export type Acceptance = Exclude<Format, "v3"> | "instruction-file" | "unbound";

/** What may be opened: formats by name, and a data key that a local key has wrapped. */
export type Accepted = ReadonlySet<Acceptance | "local-key">;

export const ACCEPTANCES: readonly Acceptance[] =
  "v2 kms-gcm kms-cbc kms-direct instruction-file unbound".split(" ") as Acceptance[];

interface Wrapped {
  /** what KMS Decrypt takes as CiphertextBlob, 1 to 6,144 bytes */
  readonly wrappedKey: Uint8Array;
  /** as KMS Decrypt takes it, or a local key authenticates it: the stored map exactly, without a prototype */
  readonly encryptionContext: EncryptionContext;
}

/** Key-committing AES-256-GCM; the data key is never used itself, see derivation.ts. */
export interface EnvelopeV3 extends Wrapped {
  readonly format: "v3";
  /** how the data key is wrapped: by KMS or with a local AES key, either with the context */
  readonly wrap: "kms" | "local";
  /** 28 bytes, not all zero */
  readonly messageId: Uint8Array;
  /** 28 bytes */
  readonly commitment: Uint8Array;
}

/** AES-256-GCM under the data key itself: `kms+context` wrap (v2), or the older `kms` wrap (kms-gcm). */
export interface EnvelopeGcm extends Wrapped {
  readonly format: "v2" | "kms-gcm";
  /** 12 bytes */
  readonly iv: Uint8Array;
}

/** AES-256-CBC under the data key itself. Not authenticated. */
export interface EnvelopeCbc extends Wrapped {
  readonly format: "kms-cbc";
  /** 16 bytes */
  readonly iv: Uint8Array;
}

/** No envelope at all: the body is what KMS Encrypt returned, and `wrappedKey` is that body. */
export interface EnvelopeDirect extends Wrapped {
  readonly format: "kms-direct";
}

export type Envelope = EnvelopeV3 | EnvelopeGcm | EnvelopeCbc | EnvelopeDirect;

/** What there is to seal, and the key that KMS made for it. */
export interface SealInput {
  readonly plaintext: Uint8Array;
  /** 32 bytes, fresh from KMS GenerateDataKey or for a local key. The caller wipes it */
  readonly dataKey: Uint8Array;
  /** the same key as KMS wrapped it under `encryptionContext`, 1 to 6,144 bytes; or as a local key did */
  readonly wrappedKey: Uint8Array;
  /** wrapped with a local key; absent: by KMS */
  readonly wrap?: "local";
  /** what writerContext gave, and the data key was wrapped with */
  readonly encryptionContext: EncryptionContext;
}

export const DATA_KEY_BYTES = 32;
/** API_Decrypt, CiphertextBlob: at most 6,144 bytes. */
export const WRAPPED_KEY_MAX_BYTES = 6144;
export const GCM_TAG_BYTES = 16;
export const GCM_IV_BYTES = 12;
export const CBC_BLOCK_BYTES = 16;
export const MESSAGE_ID_BYTES = 28;
export const COMMITMENT_BYTES = 28;

/** content-metadata.md: algorithm suite 0x0073 is written as its decimal number. */
export const V3_CONTENT_ALGORITHM = "115";
export const GCM_CONTENT_ALGORITHM = "AES/GCM/NoPadding";
/** content-metadata.md, V3 only: wrapping codes of kms+context, and of AES/GCM under a raw key. */
export const V3_KMS_CONTEXT_WRAP = "12";
export const V3_AES_GCM_WRAP = "02";

const ONE_KIND = "the sealed sources of one run are all under KMS, or all under one local key";
/** The ways out if the key that is named is of the other kind. */
export const NAME_KMS_KEY = {
  hint: `name the KMS key that sealed it: --key KEY (SEALEXEC_KEY); ${ONE_KIND}`,
};
export const NAME_LOCAL_KEY = {
  hint: `if it is a local key of sealexec, name it: --key local:PATH; ${ONE_KIND}`,
};
