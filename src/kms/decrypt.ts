import { UnreadableAnswer } from "../aws/direct/call.ts";
import { answerOf } from "../aws/direct/json.ts";
import { classify } from "../aws/failure.ts";
import { retry } from "../aws/retry.ts";
import type { AwsSession, Located } from "../aws/session.ts";
import type { Context } from "../context.ts";
import { SealexecError } from "../errors.ts";
import { kmsMeaning } from "./meanings.ts";
import { takePlaintext } from "./plaintext.ts";

const ATTEMPT_MS = 10_000;

export interface DataKey {
  readonly plaintext: Uint8Array;
  /** the ARN of the KMS key that opened it */
  readonly keyArn: string;
}

/**
 * KMS Decrypt of a wrapped data key, in one call (more only where an attempt failed).
 *
 * @param encryptionContext the stored map, exactly; empty for none
 * @param key sent as KeyId, so that KMS refuses a ciphertext of another key
 * @throws "denied", "config" (the key's state), "data" (changed ciphertext or context), "unavailable", "timeout"
 */
export async function decryptDataKey(
  wrappedKey: Uint8Array,
  encryptionContext: Readonly<Record<string, string>>,
  key: string | undefined,
  ref: Located,
  session: AwsSession,
  context: Context,
): Promise<DataKey> {
  const input = {
    ...(Object.keys(encryptionContext).length === 0 ? {} : { EncryptionContext: { ...encryptionContext } }),
    ...(key === undefined ? {} : { KeyId: key }),
  };
  const meaning = kmsMeaning(key, session.kmsRegion(ref));
  const answer = await retry(
    context,
    { attemptMs: ATTEMPT_MS, classify: (error) => classify("Decrypt", error, meaning) },
    (signal) => decryptOnce(wrappedKey, input, ref, session, signal),
  );
  if (answer === undefined) {
    throw new SealexecError("unavailable", "Decrypt: the answer holds no data key", {
      hint: "check the KMS endpoint, and what stands between here and there",
    });
  }
  return answer;
}

async function decryptOnce(
  wrappedKey: Uint8Array,
  input: { readonly EncryptionContext?: Record<string, string>; readonly KeyId?: string },
  ref: Located,
  session: AwsSession,
  signal: AbortSignal,
): Promise<DataKey | undefined> {
  const direct = await session.directKms(ref);
  if (direct === undefined) {
    const { DecryptCommand } = await import("../aws/sdk.ts");
    const command = new DecryptCommand({ CiphertextBlob: wrappedKey, ...input });
    const answer = await (await session.kms(ref)).send(command, { abortSignal: signal });
    return answer.Plaintext === undefined || answer.KeyId === undefined
      ? undefined
      : { plaintext: answer.Plaintext, keyArn: answer.KeyId };
  }
  const blob = Buffer.from(wrappedKey).toString("base64");
  const body = { CiphertextBlob: blob, ...input };
  const answer = await answerOf(direct, "kms", "Decrypt", body, signal);
  const isWhole = answer.body.at(0) === "{".charCodeAt(0) && answer.body.at(-1) === "}".charCodeAt(0);
  const taken = takePlaintext(answer.body);
  // A web page, or half an answer, is worth another attempt; an answer of KMS without a data key is not.
  if (taken === undefined && !isWhole) throw new UnreadableAnswer(answer);
  const { KeyId } = taken?.fields ?? {};
  if (taken !== undefined && typeof KeyId === "string") return { plaintext: taken.plaintext, keyArn: KeyId };
  taken?.plaintext.fill(0);
  return undefined;
}
