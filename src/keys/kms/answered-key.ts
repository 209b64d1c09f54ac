/** Whether an answer of KMS is of the key that was asked for. */
import { SealexecError } from "../../base/errors.ts";

interface Answered {
  readonly plaintext: Uint8Array;
  readonly keyArn: string;
}

const KEY_ARN = /^arn:[^:]+:kms:[^:]*:[^:]*:key\//;

/**
 * KMS refuses a ciphertext of another key than the one it is sent. Whatever stands in its place may not.
 *
 * @param key as it was sent; an alias names no key that could be compared
 * @throws "denied" where the answer names another key; the data key is wiped
 */
export function requireKey(
  operation: string,
  key: string | undefined,
  { plaintext, keyArn }: Answered,
): void {
  if (key === undefined || isSameKey(key.toLowerCase(), keyArn.toLowerCase())) return;
  plaintext.fill(0);
  throw new SealexecError("denied", `${operation}: the answer is of another key than the configured one`, {
    code: "wrong-key",
    hint: "name the right key with --key (SEALEXEC_KEY); if it is, check the KMS endpoint, and what stands between here and there",
  });
}

function isSameKey(key: string, answered: string): boolean {
  if (/^(arn:.*:)?alias\//.test(key)) return true;
  // KMS Developer Guide, "Multi-Region keys": the same key has the same id in each of its regions.
  const isWholeArn = KEY_ARN.test(key) && !idOf(key).startsWith("mrk-");
  if (isWholeArn) return key === answered;
  return KEY_ARN.test(answered) && idOf(key) === idOf(answered);
}

function idOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}
