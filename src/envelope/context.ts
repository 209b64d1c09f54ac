/** What the encryption context must say before KMS is asked, and what we put into it. */
import { SealexecError } from "../errors.ts";
import {
  type EncryptionContext,
  type Envelope,
  GCM_CONTENT_ALGORITHM,
  V3_CONTENT_ALGORITHM,
} from "./format.ts";
import { quote } from "./quote.ts";
import { REVISION_NAME } from "./revision.ts";
import { emptyMap } from "./string-map.ts";

/** Which content algorithm the data key is for; written by every client since v2. */
export const ALGORITHM_NAME = "aws:x-amz-cek-alg";
/** The KMS key as the writer had it; written by clients before v2. */
const KEY_ID_NAME = "kms_cmk_id";
/** Which object the data key is for: ours, `s3://BUCKET/KEY`. */
export const BINDING_NAME = "sealexec:object";

/** Names that a user's context may not hold. */
export const RESERVED_CONTEXT_NAMES: readonly string[] = [
  ALGORITHM_NAME,
  KEY_ID_NAME,
  BINDING_NAME,
  REVISION_NAME,
];

const CONTENT_ALGORITHM = { v3: V3_CONTENT_ALGORITHM, v2: GCM_CONTENT_ALGORITHM } as const;

/** A message names no more than this many context names. */
const MAX_NAMES = 5;
const MAX_URI_CHARACTERS = 120;

/**
 * The envelope's context is for this object and is the one that the caller expects. To be called before
 * KMS Decrypt (s3-encryption/materials/s3-kms-keyring.md, Kms+Context).
 *
 * @param expected `object`: where it was read from, `s3://BUCKET/KEY`; `context`: the user's pairs, and
 *   then the stored ones, less the reserved names, must be the same map. Without it any context is
 *   accepted apart from a wrong binding
 * @throws SealexecError "data" naming the names that differ
 */
export function checkContext(
  envelope: Envelope,
  expected: { readonly context?: EncryptionContext | undefined; readonly object: string },
): void {
  const stored = envelope.encryptionContext;
  checkBinding(stored, expected.object);
  if (expected.context !== undefined) checkUserContext(stored, expected.context);
}

/**
 * The encryption context to seal under: the user's pairs, the content algorithm, and the binding and the revision where
 * `object` (`s3://BUCKET/KEY`) and `revision` are given.
 *
 * @throws SealexecError "data" when `user` has a reserved name, or text that has no UTF-8 form
 */
export function writerContext(
  format: "v3" | "v2",
  user: EncryptionContext,
  object?: string,
  revision?: number,
): EncryptionContext {
  refuseReserved(user);
  const context = emptyMap();
  context[ALGORITHM_NAME] = CONTENT_ALGORITHM[format];
  for (const [name, value] of Object.entries(user)) context[name] = value;
  if (object !== undefined) context[BINDING_NAME] = object;
  if (revision !== undefined) context[REVISION_NAME] = String(revision);
  for (const [name, value] of Object.entries(context)) {
    if (!name.isWellFormed() || !value.isWellFormed()) {
      throw new SealexecError("data", `encryption context: ${quote(name)} is not valid Unicode`);
    }
  }
  return context;
}

/**
 * The data key is for the content algorithm that the envelope names, so that relabelling a body does not
 * go unseen: KMS authenticates the context.
 *
 * @param field the metadata key that names the algorithm, for the message
 * @throws SealexecError "data"
 */
export function checkAlgorithm(context: EncryptionContext, algorithm: string, field: string): void {
  const stored = valueOf(context, ALGORITHM_NAME);
  if (stored === undefined) {
    throw new SealexecError("data", `encryption context: ${ALGORITHM_NAME} is missing`);
  }
  if (stored !== algorithm) {
    throw new SealexecError(
      "data",
      `encryption context: ${ALGORITHM_NAME} is ${quote(stored)}, but ${field} is ${quote(algorithm)}`,
    );
  }
}

function checkBinding(stored: EncryptionContext, object: string): void {
  const bound = valueOf(stored, BINDING_NAME);
  if (bound === undefined || bound === object) return;
  throw new SealexecError("data", `sealed for ${quote(bound, MAX_URI_CHARACTERS)}, not for this object`, {
    hint: "it was copied or moved here: seal it again in its place",
  });
}

function checkUserContext(stored: EncryptionContext, expected: EncryptionContext): void {
  refuseReserved(expected);
  const differences: string[] = [];
  for (const [name, value] of Object.entries(expected)) {
    const found = valueOf(stored, name);
    if (found === undefined) differences.push(`${quote(name)} is missing`);
    else if (found !== value) differences.push(`${quote(name)} differs`);
  }
  for (const name of Object.keys(stored)) {
    if (RESERVED_CONTEXT_NAMES.includes(name) || Object.hasOwn(expected, name)) continue;
    differences.push(`${quote(name)} was not expected`);
  }
  if (differences.length === 0) return;
  const more = differences.length > MAX_NAMES ? `, and ${differences.length - MAX_NAMES} more` : "";
  throw new SealexecError(
    "data",
    `encryption context does not match: ${differences.slice(0, MAX_NAMES).join(", ")}${more}`,
    { hint: "the object was sealed with another --context, or it is not the object you mean" },
  );
}

function refuseReserved(user: EncryptionContext): void {
  for (const name of RESERVED_CONTEXT_NAMES) {
    if (valueOf(user, name) === undefined) continue;
    throw new SealexecError("data", `encryption context: ${name} is a reserved name`, {
      hint: "leave it out: sealexec sets it and checks it by itself",
    });
  }
}

function valueOf(context: EncryptionContext, name: string): string | undefined {
  return Object.hasOwn(context, name) ? context[name] : undefined;
}
