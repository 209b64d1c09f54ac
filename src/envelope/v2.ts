/** What `x-amz-key-v2` stands for: v2 (kms+context), kms-gcm and kms-cbc (kms): content-metadata.md, V2. */
import { SealexecError } from "../base/errors.ts";
import { encodeBase64 } from "./base64.ts";
import { ALGORITHM_NAME, checkAlgorithm } from "./context.ts";
import { bytesField, contextField, optionalField, requiredField, wrappedKeyField } from "./fields.ts";
import type { Fields } from "./fields.ts";
import {
  CBC_BLOCK_BYTES,
  type EnvelopeCbc,
  type EnvelopeGcm,
  GCM_CONTENT_ALGORITHM,
  GCM_IV_BYTES,
  GCM_TAG_BYTES,
  type Metadata,
  type SealInput,
} from "./format.ts";
import { encryptGcm } from "./gcm.ts";
import { invalid, quote } from "./invalid.ts";
import { stringifyAscii } from "./string-map.ts";

const CBC_CONTENT_ALGORITHMS: ReadonlySet<string> = new Set(["AES/CBC/PKCS5Padding", "AES/CBC/PKCS7Padding"]);
const TAG_BITS = String(GCM_TAG_BYTES * 8);
/** content-metadata.md, V2/V3 Shared: the wrapping algorithms that are not KMS. */
const RAW_WRAPS = new Set("AES/GCM AESWrap RSA/ECB/OAEPWithSHA-256AndMGF1Padding RSA-OAEP-SHA1".split(" "));

export function parseV2(fields: Fields): EnvelopeGcm | EnvelopeCbc {
  const wrappedKey = wrappedKeyField(fields, "x-amz-key-v2");
  const wrap = requiredField(fields, "x-amz-wrap-alg");
  const algorithm = requiredField(fields, "x-amz-cek-alg");
  const encryptionContext = contextField(fields, "x-amz-matdesc");
  switch (wrap) {
    case "kms+context": {
      if (algorithm !== GCM_CONTENT_ALGORITHM) throw notContentAlgorithm(algorithm, wrap);
      checkAlgorithm(encryptionContext, algorithm, "x-amz-cek-alg");
      return { format: "v2", wrappedKey, encryptionContext, iv: parseGcm(fields) };
    }
    case "kms": {
      if (Object.hasOwn(encryptionContext, ALGORITHM_NAME)) {
        throw invalid(
          "x-amz-wrap-alg is kms, but the encryption context is one of kms+context: the object was relabelled",
        );
      }
      if (algorithm === GCM_CONTENT_ALGORITHM)
        return { format: "kms-gcm", wrappedKey, encryptionContext, iv: parseGcm(fields) };
      if (!CBC_CONTENT_ALGORITHMS.has(algorithm)) throw notContentAlgorithm(algorithm, wrap);
      return { format: "kms-cbc", wrappedKey, encryptionContext, iv: parseCbc(fields) };
    }
  }
  if (RAW_WRAPS.has(wrap))
    throw invalid(`x-amz-wrap-alg is ${wrap}: the data key is wrapped with a raw key, not by KMS`);
  throw invalid(`x-amz-wrap-alg is ${quote(wrap)}, not kms+context or kms`);
}

/** @param iv 12 bytes, never used before with this data key */
export function sealV2(input: SealInput, iv: Uint8Array): { metadata: Metadata; body: Uint8Array } {
  return {
    metadata: {
      "x-amz-key-v2": encodeBase64(input.wrappedKey),
      "x-amz-wrap-alg": "kms+context",
      "x-amz-matdesc": stringifyAscii(input.encryptionContext),
      "x-amz-cek-alg": GCM_CONTENT_ALGORITHM,
      "x-amz-tag-len": TAG_BITS,
      "x-amz-iv": encodeBase64(iv),
    },
    body: encryptGcm(input.dataKey, iv, input.plaintext),
  };
}

/** content-metadata.md, Content Metadata MapKeys: GCM has a tag length, and 128 is the only one. */
function parseGcm(fields: Fields): Uint8Array {
  const tagBits = requiredField(fields, "x-amz-tag-len");
  if (tagBits !== TAG_BITS) throw invalid(`x-amz-tag-len is ${quote(tagBits)}, not ${TAG_BITS}`);
  return bytesField(fields, "x-amz-iv", GCM_IV_BYTES);
}

// content-metadata.md, V2 Only: CBC has no tag length. In instruction files Go's client writes "", C++'s 0.
function parseCbc(fields: Fields): Uint8Array {
  if (!["", "0"].includes(optionalField(fields, "x-amz-tag-len") ?? ""))
    throw invalid("x-amz-tag-len is there, but x-amz-cek-alg is CBC, which has no tag");
  return bytesField(fields, "x-amz-iv", CBC_BLOCK_BYTES);
}

function notContentAlgorithm(algorithm: string, wrap: string): SealexecError {
  return invalid(`x-amz-cek-alg is ${quote(algorithm)}, which does not go with ${wrap}`);
}
