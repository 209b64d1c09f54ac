import { classify } from "../../aws/call/failure.ts";
import { retry } from "../../http/retry.ts";
import type { AwsSession, Located } from "../../aws/session.ts";
import type { Context } from "../../base/context.ts";
import { decodeBase64 } from "../../envelope/base64.ts";
import { SealexecError } from "../../base/errors.ts";
import { requireKey } from "./answered-key.ts";
import { askForKey } from "./ask.ts";
import { kmsMeaning } from "./meanings.ts";
import type { DataKey } from "./decrypt.ts";

const ATTEMPT_MS = 10_000;

export interface NewDataKey extends DataKey {
  readonly wrapped: Uint8Array;
}

/**
 * KMS GenerateDataKey: a fresh 32-byte data key, and the same wrapped under `key` with the context bound to it.
 *
 * @throws "denied" (also where the answer is of another key), "config" (the key or its state), "unavailable", "timeout"
 */
export async function generateDataKey(
  key: string,
  encryptionContext: Readonly<Record<string, string>>,
  ref: Located,
  session: AwsSession,
  context: Context,
): Promise<NewDataKey> {
  const input = { KeyId: key, EncryptionContext: { ...encryptionContext } };
  const meaning = kmsMeaning(key, session.kmsRegion(ref));
  const answer = await retry(
    context,
    { attemptMs: ATTEMPT_MS, classify: (error) => classify("GenerateDataKey", error, meaning) },
    (signal) => askForKey({ operation: "GenerateDataKey", input }, ref, session, signal),
  );
  const { CiphertextBlob: blob, KeyId: keyArn } = answer?.fields ?? {};
  const wrapped = typeof blob === "string" ? decodeBase64(blob) : undefined;
  if (answer?.plaintext.length !== 32 || wrapped === undefined || typeof keyArn !== "string") {
    answer?.plaintext.fill(0);
    throw new SealexecError("unavailable", "GenerateDataKey: the answer holds no data key of 32 bytes", {
      hint: "check the KMS endpoint, and what stands between here and there",
    });
  }
  const dataKey = { plaintext: answer.plaintext, wrapped, keyArn };
  requireKey("GenerateDataKey", key, dataKey);
  return dataKey;
}
