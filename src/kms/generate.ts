import { GenerateDataKeyCommand } from "../aws/sdk.ts";
import { classify } from "../aws/failure.ts";
import { retry } from "../aws/retry.ts";
import type { AwsSession, Located } from "../aws/session.ts";
import type { Context } from "../context.ts";
import { SealexecError } from "../errors.ts";
import { kmsMeaning } from "./meanings.ts";
import type { DataKey } from "./decrypt.ts";

const ATTEMPT_MS = 10_000;

export interface NewDataKey extends DataKey {
  readonly wrapped: Uint8Array;
}

/**
 * KMS GenerateDataKey: a fresh 32-byte data key, and the same wrapped under `key` with the context bound to it.
 *
 * @throws "denied", "config" (the key or its state), "unavailable", "timeout"
 */
export async function generateDataKey(
  key: string,
  encryptionContext: Readonly<Record<string, string>>,
  ref: Located,
  session: AwsSession,
  context: Context,
): Promise<NewDataKey> {
  const command = new GenerateDataKeyCommand({
    KeyId: key,
    KeySpec: "AES_256",
    EncryptionContext: { ...encryptionContext },
  });
  const meaning = kmsMeaning(key, session.kmsRegion(ref));
  const answer = await retry(
    context,
    { attemptMs: ATTEMPT_MS, classify: (error) => classify("GenerateDataKey", error, meaning) },
    async (signal) => (await session.kms(ref)).send(command, { abortSignal: signal }),
  );
  const { Plaintext: plaintext, CiphertextBlob: wrapped, KeyId: keyArn } = answer;
  if (plaintext?.length !== 32 || wrapped === undefined || keyArn === undefined) {
    throw new SealexecError("unavailable", "GenerateDataKey: the answer holds no data key of 32 bytes", {
      hint: "check the KMS endpoint, and what stands between here and there",
    });
  }
  return { plaintext, wrapped, keyArn };
}
