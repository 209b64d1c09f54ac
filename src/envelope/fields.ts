/** Names: s3-encryption/data-format/content-metadata.md, Content Metadata MapKeys. Read strictly. */
import { decodeBase64 } from "./base64.ts";
import { type EncryptionContext, WRAPPED_KEY_MAX_BYTES } from "./format.ts";
import { invalid } from "./invalid.ts";
import { decodeHeaderText } from "./mime.ts";
import { emptyMap, parseStringMap } from "./string-map.ts";

/** The keys that name a format: never more than one of them. */
export const KEY_FIELDS = ["x-amz-key", "x-amz-key-v2", "x-amz-3"] as const;
/** About the content of v3: always in the object's own metadata. */
export const V3_CONTENT_FIELDS = ["x-amz-c", "x-amz-d", "x-amz-i"] as const;
/** About the wrapped key of v3, beside x-amz-3; x-amz-m is the context of raw keys, and ignored with KMS. */
export const V3_WRAP_FIELDS = ["x-amz-w", "x-amz-t", "x-amz-m"] as const;
/** What V1 and V2 have beside their key. */
export const V2_FIELDS = [
  "x-amz-iv",
  "x-amz-cek-alg",
  "x-amz-wrap-alg",
  "x-amz-matdesc",
  "x-amz-tag-len",
] as const;

export type FieldName =
  | (typeof KEY_FIELDS)[number]
  | (typeof V3_CONTENT_FIELDS)[number]
  | (typeof V3_WRAP_FIELDS)[number]
  | (typeof V2_FIELDS)[number];

export interface Fields {
  /** where they come from: only S3 headers are MIME encoded */
  readonly from: "metadata" | "instruction-file";
  readonly values: Readonly<Record<string, string>>;
}

/** Empty ones too. */
export function presentOf(fields: Fields, names: readonly FieldName[]): FieldName[] {
  return names.filter((name) => Object.hasOwn(fields.values, name));
}

export function optionalField(fields: Fields, name: FieldName): string | undefined {
  return Object.hasOwn(fields.values, name) ? fields.values[name] : undefined;
}

export function requiredField(fields: Fields, name: FieldName): string {
  const value = optionalField(fields, name);
  if (value === undefined) throw invalid(`${name} is missing`);
  if (value === "") throw invalid(`${name} is empty`);
  return value;
}

export function bytesField(fields: Fields, name: FieldName, lengthBytes: number): Uint8Array {
  const bytes = base64Field(fields, name);
  if (bytes.length !== lengthBytes) throw invalid(`${name} is ${bytes.length} bytes, not ${lengthBytes}`);
  return bytes;
}

/** The wrapped data key, 1 to 6,144 bytes. */
export function wrappedKeyField(fields: Fields, name: "x-amz-key-v2" | "x-amz-3"): Uint8Array {
  const bytes = base64Field(fields, name);
  if (bytes.length > WRAPPED_KEY_MAX_BYTES)
    throw invalid(`${name} is ${bytes.length} bytes, more than KMS can have written`);
  return bytes;
}

/** The encryption context. content-metadata.md, V1/V2 Shared and V3 Only: a missing one is the empty map. */
export function contextField(
  fields: Fields,
  name: "x-amz-matdesc" | "x-amz-t" | "x-amz-m",
): EncryptionContext {
  if (optionalField(fields, name) === undefined) return emptyMap();
  const value = requiredField(fields, name);
  return parseStringMap(fields.from === "metadata" ? decodeHeaderText(value, name) : value, name);
}

function base64Field(fields: Fields, name: FieldName): Uint8Array {
  const bytes = decodeBase64(requiredField(fields, name));
  if (bytes === undefined) throw invalid(`${name} is not valid base64`);
  return bytes;
}
