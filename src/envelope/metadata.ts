/**
 * Telling the formats apart, by the object's user metadata: s3-encryption/data-format/content-metadata.md,
 * Determining S3EC Object Status; stricter if the clause only recommends an error.
 */
import { SealexecError } from "../base/errors.ts";
import { checkCbcBody } from "./cbc.ts";
import {
  contextField,
  type Fields,
  KEY_FIELDS,
  presentOf,
  V2_FIELDS,
  V3_CONTENT_FIELDS,
  V3_WRAP_FIELDS,
} from "./fields.ts";
import {
  type Accepted,
  type Envelope,
  type Metadata,
  NAME_KMS_KEY,
  type StoredObject,
  WRAPPED_KEY_MAX_BYTES,
} from "./format.ts";
import { checkGcmBody } from "./gcm.ts";
import { parseV2InstructionFile, parseV3InstructionFile } from "./instruction-file.ts";
import { invalid } from "./invalid.ts";
import { revisionOf, SEAL_AGAIN } from "./revision.ts";
import { emptyMap } from "./string-map.ts";
import { parseV2 } from "./v2.ts";
import { parseV3, parseV3Content } from "./v3.ts";

/** An envelope, or the fact that the object's instruction file must be read first. */
export type Reading =
  { readonly kind: "envelope"; readonly envelope: Envelope } | { readonly kind: "instruction-file-needed" };

type Shape = "v3" | "v3-instruction-file" | "v2" | "bare";

/**
 * A valid envelope of a format that is accepted, its body one that can belong to it; without any: kms-direct.
 * @param instructionFile once a first call has asked for it; it never overrides the object's own envelope
 */
export function readEnvelope(
  object: StoredObject,
  accept: Accepted,
  instructionFile?: Uint8Array | string,
): Reading {
  const fields: Fields = { from: "metadata", values: object.metadata };
  const shape = shapeOf(fields);
  switch (shape) {
    case "v3":
      return accepted(parseV3(parseV3Content(fields), fields, accept.has("local-key")), object.body, accept);
    case "v2":
      return accepted(parseV2(fields), object.body, accept);
    case "v3-instruction-file": {
      const content = parseV3Content(fields);
      if (!accept.has("instruction-file")) {
        const hint = `${SEAL_AGAIN}; or add --accept instruction-file if that is how it was sealed`;
        throw invalid("x-amz-3 is missing: its data key would be in an instruction file", { hint });
      }
      if (instructionFile === undefined) return { kind: "instruction-file-needed" };
      if (accept.has("local-key")) {
        throw invalid("its data key is in an instruction file, not wrapped with a local key", NAME_KMS_KEY);
      }
      return accepted(parseV3(content, parseV3InstructionFile(instructionFile)), object.body, accept);
    }
    case "bare": {
      if (accept.has("kms-direct")) return accepted(direct(object.body), object.body, accept);
      if (!accept.has("instruction-file")) {
        throw invalid("no envelope in its metadata: it is not a sealed object", {
          hint: "seal it with push, or add --accept instruction-file or kms-direct if that is how it was sealed",
        });
      }
      if (instructionFile === undefined) return { kind: "instruction-file-needed" };
      const file = parseV2InstructionFile(instructionFile);
      refuseRawKey(file);
      return accepted(parseV2(file), object.body, accept);
    }
  }
}

function shapeOf(fields: Fields): Shape {
  const [key, secondKey] = presentOf(fields, KEY_FIELDS);
  const v3 = presentOf(fields, [...V3_CONTENT_FIELDS, ...V3_WRAP_FIELDS]);
  const v2 = presentOf(fields, V2_FIELDS);
  if (key !== undefined && secondKey !== undefined) throw mixed(key, secondKey);
  if (key === "x-amz-3") {
    if (v2[0] !== undefined) throw mixed(key, v2[0]);
    return "v3";
  }
  if (key !== undefined) {
    if (v3[0] !== undefined) throw mixed(key, v3[0]);
    refuseRawKey(fields);
    return "v2";
  }
  if (v3[0] !== undefined && v2[0] !== undefined) throw mixed(v3[0], v2[0]);
  if (v2.length > 0) throw invalid("x-amz-key-v2 is missing");
  if (v3.length === 0) return "bare";
  // x-amz-w and x-amz-t are where x-amz-3 is: they alone are what is left of a damaged envelope.
  if (presentOf(fields, V3_WRAP_FIELDS).length > 0) throw invalid("x-amz-3 is missing");
  return "v3-instruction-file";
}

/** The format is accepted by name, and the body can be one of it. */
function accepted(envelope: Envelope, body: Uint8Array, accept: Accepted): Reading {
  const { format } = envelope;
  // Only v3 has a form for it; and with a local key named, nothing that KMS is to open may slip in.
  if (accept.has("local-key") && format !== "v3")
    throw invalid(`sealed in the older format ${format}, by KMS and not with a local key`, NAME_KMS_KEY);
  if (format !== "v3" && !accept.has(format)) {
    const hint = `${SEAL_AGAIN}; or add --accept ${format}`;
    throw invalid(`sealed in the older format ${format}, which is not accepted`, { hint });
  }
  if (format === "kms-cbc") checkCbcBody(body);
  else if (format !== "kms-direct") checkGcmBody(body);
  return { kind: "envelope", envelope };
}

function direct(body: Uint8Array): Envelope {
  if (body.length === 0 || body.length > WRAPPED_KEY_MAX_BYTES)
    throw invalid(`body is ${body.length} bytes, which no KMS ciphertext is`);
  return { format: "kms-direct", wrappedKey: body, encryptionContext: emptyMap() };
}

function refuseRawKey(fields: Fields): void {
  if (presentOf(fields, ["x-amz-key"]).length === 0) return;
  const hint = `sealexec opens what KMS wrapped: ${SEAL_AGAIN}`;
  throw invalid("x-amz-key: the data key is wrapped with a raw key (format v1), not by KMS", { hint });
}

function mixed(one: string, other: string): SealexecError {
  return invalid(`${one} and ${other} are both there: formats are mixed`);
}

/** The revision that an object claims: nothing is verified. @throws SealexecError "data" */
export function claimedRevision(metadata: Metadata): number | undefined {
  const fields: Fields = { from: "metadata", values: metadata };
  const names = ["x-amz-matdesc", "x-amz-m", "x-amz-t"] as const;
  return revisionOf(Object.assign({}, ...names.map((name) => contextField(fields, name))));
}
