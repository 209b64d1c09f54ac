import { classify } from "../../aws/call/failure.ts";
import { retry } from "../../http/retry.ts";
import type { AwsSession, Located } from "../../aws/session.ts";
import type { Context } from "../../base/context.ts";
import { SealexecError } from "../../base/errors.ts";
import { requireKey } from "./answered-key.ts";
import { askForKey } from "./ask.ts";
import { kmsMeaning } from "./meanings.ts";

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
 * @throws "denied" (also where the answer is of another key), "config" (the key's state), "data" (changed ciphertext or context), "unavailable", "timeout"
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
    (signal) => askForKey({ operation: "Decrypt", input, wrappedKey }, ref, session, signal),
  );
  const keyArn = answer?.fields["KeyId"];
  if (answer === undefined || typeof keyArn !== "string") {
    answer?.plaintext.fill(0);
    throw new SealexecError("unavailable", "Decrypt: the answer holds no data key", {
      hint: "check the KMS endpoint, and what stands between here and there",
    });
  }
  const dataKey = { plaintext: answer.plaintext, keyArn };
  requireKey("Decrypt", key, dataKey);
  return dataKey;
}
