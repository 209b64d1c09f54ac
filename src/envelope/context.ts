/** What the encryption context must say before KMS is asked, and what we put into it. */
import {
  type EncryptionContext,
  type Envelope,
  GCM_CONTENT_ALGORITHM,
  V3_CONTENT_ALGORITHM,
} from "./format.ts";
import { invalid, quote } from "./invalid.ts";
import { REVISION_NAME, SEAL_AGAIN } from "./revision.ts";
import { emptyMap } from "./string-map.ts";

/** Which content algorithm the data key is for; written by every client since v2. */
export const ALGORITHM_NAME = "aws:x-amz-cek-alg";
/** Ours: the object that the data key is for (`s3://BUCKET/KEY`, `file:NAME`); the dialect, if no .env. */
export const BINDING_NAME = "sealexec:object";
export const FORMAT_NAME = "sealexec:format";

/** Names that a user's context may not hold. */
export const RESERVED_CONTEXT_NAMES: readonly string[] = [
  ALGORITHM_NAME,
  "kms_cmk_id", // the KMS key as the writer had it; written by clients before v2
  BINDING_NAME,
  REVISION_NAME,
  FORMAT_NAME,
];

const CONTENT_ALGORITHM = { v3: V3_CONTENT_ALGORITHM, v2: GCM_CONTENT_ALGORITHM } as const;

/** of context, in a message */
const MAX_NAMES = 5;

/**
 * To be called before KMS Decrypt (s3-encryption/materials/s3-kms-keyring.md, Kms+Context).
 * @param expected `object`: where it was read from; `unbound`: what names no place may be opened; `context`:
 *   what the stored pairs must be, less the reserved names; without it, any
 * @returns whether it is bound to its place
 */
export function checkContext(
  { format, encryptionContext: stored }: Envelope,
  expected: {
    readonly context?: EncryptionContext | undefined;
    readonly object: string;
    readonly unbound?: boolean;
  },
): boolean {
  const isBound = checkBinding(stored, expected.object);
  // What wrote the older formats knew of no binding: who accepts one of them by name accepts that.
  const mayBeUnbound = expected.unbound === true || (format !== "v3" && format !== "v2");
  if (!isBound && !mayBeUnbound) {
    throw invalid("not bound to its place: nothing tells that it was sealed for this one", {
      hint:
        `${SEAL_AGAIN}; if another client wrote it, or push --no-bind: ` +
        "--accept unbound, or ?accept=unbound in its URI",
    });
  }
  if (expected.context !== undefined) checkUserContext(stored, expected.context);
  return isBound;
}

/** The encryption context to seal under. @param object the place to bind it to */
export function writerContext(
  format: "v3" | "v2",
  user: EncryptionContext,
  object?: string,
  revision?: number,
  dialect?: string,
): EncryptionContext {
  refuseReserved(user);
  const context = Object.assign(emptyMap(), { [ALGORITHM_NAME]: CONTENT_ALGORITHM[format] }, user);
  if (object !== undefined) context[BINDING_NAME] = object;
  if (revision !== undefined) context[REVISION_NAME] = String(revision);
  if (dialect !== undefined) context[FORMAT_NAME] = dialect;
  for (const [name, value] of Object.entries(context)) {
    if (!name.isWellFormed() || !value.isWellFormed())
      throw invalid(`encryption context: ${quote(name)} is not valid Unicode`);
  }
  return context;
}

/** KMS authenticates the context: nobody gives a body another algorithm. */
export function checkAlgorithm(context: EncryptionContext, algorithm: string, field: string): void {
  const stored = valueOf(context, ALGORITHM_NAME);
  if (stored === undefined) throw invalid(`encryption context: ${ALGORITHM_NAME} is missing`);
  if (stored !== algorithm) {
    throw invalid(
      `encryption context: ${ALGORITHM_NAME} is ${quote(stored)}, but ${field} is ${quote(algorithm)}`,
    );
  }
}

function checkBinding(stored: EncryptionContext, object: string): boolean {
  const bound = valueOf(stored, BINDING_NAME);
  if (bound === undefined) return false;
  if (bound === object) return true;
  const name = /^file:(?=[^/])/.test(object) ? ", or name what it was sealed for: ?name=NAME" : "";
  const hint = `it was copied or moved here: ${SEAL_AGAIN}${name}`;
  throw invalid(`sealed for ${quote(bound, 120)}, not for this object`, { hint });
}

/** What the text is, as its writer said: that is authenticated, and what a reader's URI says of it is not. */
export function sealedFormat({ encryptionContext }: Pick<Envelope, "encryptionContext">): string | undefined {
  return valueOf(encryptionContext, FORMAT_NAME);
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
  throw invalid(`encryption context does not match: ${differences.slice(0, MAX_NAMES).join(", ")}${more}`, {
    hint: "the object was sealed with another --context, or it is not the object you mean",
  });
}

function refuseReserved(user: EncryptionContext): void {
  for (const name of RESERVED_CONTEXT_NAMES) {
    if (valueOf(user, name) === undefined) continue;
    const hint = "leave it out: sealexec sets it and checks it by itself";
    throw invalid(`encryption context: ${name} is a reserved name`, { hint });
  }
}

function valueOf(context: EncryptionContext, name: string): string | undefined {
  return Object.hasOwn(context, name) ? context[name] : undefined;
}
