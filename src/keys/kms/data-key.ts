/** A data key of KMS, opened or made, in one call (more only if an attempt failed). */
import { classify } from "../../aws/call/failure.ts";
import type { AwsSession, Located } from "../../aws/session.ts";
import type { Context } from "../../base/context.ts";
import { defined } from "../../base/defined.ts";
import { SealexecError } from "../../base/errors.ts";
import { decodeBase64 } from "../../envelope/base64.ts";
import type { EncryptionContext, Envelope } from "../../envelope/format.ts";
import { retry } from "../../http/retry.ts";
import { askForKey } from "./ask.ts";
import type { KmsQuestion } from "./ask.ts";
import { kmsMeaning } from "./meanings.ts";
import type { TakenAnswer } from "./plaintext.ts";

const ATTEMPT_MS = 10_000;

/** What KMS is asked with. */
export interface Asking {
  readonly session: AwsSession;
  readonly context: Context;
}

export interface DataKey {
  readonly plaintext: Uint8Array;
  /** the ARN of the KMS key that wraps it, or `local:PATH` */
  readonly keyArn: string;
}

export interface NewDataKey extends DataKey {
  readonly wrapped: Uint8Array;
}

/** KMS Decrypt. `key` is sent as KeyId, so that KMS refuses a ciphertext of another. */
export async function decryptDataKey(
  { wrappedKey, encryptionContext }: Pick<Envelope, "wrappedKey" | "encryptionContext">,
  key: string | undefined,
  located: Located,
  asking: Asking,
): Promise<DataKey> {
  const isBound = Object.keys(encryptionContext).length > 0;
  const context = isBound ? { EncryptionContext: { ...encryptionContext } } : {};
  const input = { ...context, ...defined({ KeyId: key }) };
  const question = { operation: "Decrypt", input, wrappedKey } as const;
  return keyOf(await ask(question, located, asking), question, "no data key", {});
}

/** KMS GenerateDataKey: a fresh key of 32 bytes, and the same wrapped under `key`, bound to the context. */
export async function generateDataKey(
  key: string,
  encryptionContext: EncryptionContext,
  located: Located,
  asking: Asking,
): Promise<NewDataKey> {
  const input = { KeyId: key, EncryptionContext: { ...encryptionContext } };
  const question = { operation: "GenerateDataKey", input } as const;
  const answer = await ask(question, located, asking);
  const blob = answer?.fields["CiphertextBlob"];
  const wrapped = typeof blob === "string" ? decodeBase64(blob) : undefined;
  const rest = answer?.plaintext.length === 32 && wrapped !== undefined ? { wrapped } : undefined;
  return keyOf(answer, question, "no data key of 32 bytes", rest);
}

function ask(
  question: KmsQuestion,
  located: Located,
  { session, context }: Asking,
): Promise<TakenAnswer | undefined> {
  const { operation, input } = question;
  const meaning = kmsMeaning(input.KeyId, session.kmsRegion(located));
  return retry(
    context,
    { attemptMs: ATTEMPT_MS, classify: (error) => classify(operation, error, meaning) },
    (signal) => askForKey(question, located, session, signal),
  );
}

/**
 * The data key of an answer. It is wiped if the answer is not whole (it then has what `holds` says; `rest`
 * undefined: it lacks the rest) or of another key: KMS refuses what another key has wrapped; whatever answers
 * in its place may not.
 */
function keyOf<Rest extends object>(
  answer: TakenAnswer | undefined,
  { operation, input }: KmsQuestion,
  holds: string,
  rest: Rest | undefined,
): DataKey & Rest {
  const keyArn = answer?.fields["KeyId"];
  if (answer === undefined || rest === undefined || typeof keyArn !== "string") {
    answer?.plaintext.fill(0);
    const hint = "check the KMS endpoint, and what stands between here and there";
    throw new SealexecError("unavailable", `${operation}: the answer holds ${holds}`, { hint });
  }
  if (input.KeyId === undefined || isSameKey(input.KeyId.toLowerCase(), keyArn.toLowerCase()))
    return { ...rest, plaintext: answer.plaintext, keyArn };
  answer.plaintext.fill(0);
  throw new SealexecError("denied", `${operation}: the answer is of another key than the configured one`, {
    code: "wrong-key",
    hint: "name the right key with --key (SEALEXEC_KEY); if it is, check the KMS endpoint, and what stands between here and there",
  });
}

const KEY_ARN = /^arn:[^:]+:kms:[^:]*:[^:]*:key\//;

function isSameKey(key: string, answered: string): boolean {
  // An alias names no key that could be compared.
  if (/^(arn:.*:)?alias\//.test(key)) return true;
  // KMS Developer Guide, "Multi-Region keys": the same key has the same id in each of its regions.
  if (KEY_ARN.test(key) && !idOf(key).startsWith("mrk-")) return key === answered;
  return KEY_ARN.test(answered) && idOf(key) === idOf(answered);
}

function idOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}
