/**
 * An envelope, or a part of it, in a file beside the object (s3-encryption/data-format/metadata-strategy.md).
 * A writer without the KMS key can put another data key there: read only with `--accept instruction-file`.
 */
import {
  type Fields,
  KEY_FIELDS,
  presentOf,
  V2_FIELDS,
  V3_CONTENT_FIELDS,
  V3_WRAP_FIELDS,
} from "./fields.ts";
import { decodeUtf8 } from "./mime.ts";
import { invalid, quote } from "./invalid.ts";
import { parseStringMap } from "./string-map.ts";

const WHAT = "instruction file";
// PHP's clients write these as numbers into files of V1 and V2.
const INTEGERS = ["x-amz-tag-len", "x-amz-unencrypted-content-length"];
const V3_WRAP_NAMES: ReadonlySet<string> = new Set(["x-amz-3", ...V3_WRAP_FIELDS]);

/** The fields of V1 or V2, all of which are in the file (V1/V2 Instruction Files). */
export function parseV2InstructionFile(file: Uint8Array | string): Fields {
  const fields = parseFile(file, INTEGERS);
  const [stray] = presentOf(fields, ["x-amz-3", ...V3_CONTENT_FIELDS, ...V3_WRAP_FIELDS]);
  if (stray !== undefined)
    throw invalid(`${WHAT} holds ${stray} of format v3, but the object has no x-amz-c, x-amz-d and x-amz-i`);
  if (presentOf(fields, ["x-amz-key"]).length > 0 && presentOf(fields, ["x-amz-key-v2"]).length > 0)
    throw invalid(`${WHAT} holds x-amz-key and x-amz-key-v2: formats are mixed`);
  if (presentOf(fields, [...KEY_FIELDS, ...V2_FIELDS]).length === 0)
    throw invalid(`${WHAT} holds no envelope`);
  return fields;
}

/** The wrapped key of v3 and what belongs to it, and nothing else (V3 Instruction Files). */
export function parseV3InstructionFile(file: Uint8Array | string): Fields {
  const fields = parseFile(file);
  const stray = Object.keys(fields.values).find((name) => !V3_WRAP_NAMES.has(name));
  if (stray !== undefined) throw invalid(`${WHAT} holds ${quote(stray)}, which does not belong there`);
  return fields;
}

function parseFile(file: Uint8Array | string, integers: readonly string[] = []): Fields {
  const text = typeof file === "string" ? file : decodeUtf8(file);
  if (text === undefined) throw invalid(`${WHAT} is not UTF-8`);
  return { from: "instruction-file", values: parseStringMap(text, WHAT, integers) };
}
