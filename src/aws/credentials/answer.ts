import type { LoadedIdentity } from "./source.ts";

/**
 * The credentials in a metadata service's JSON answer: AccessKeyId, SecretAccessKey, Token, and Expiration where it is
 * there. Whether they have expired is for AWS to say, not for this machine's clock.
 *
 * @throws where they are not there, with nothing of the answer in it
 */
export function parseCredentials(text: string): LoadedIdentity {
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = parseObject(text);
  const given = [AccessKeyId, SecretAccessKey, Token].every(
    (value) => typeof value === "string" && value !== "",
  );
  if (!given) throw new UnusableAnswer();
  return {
    accessKeyId: String(AccessKeyId),
    secretAccessKey: String(SecretAccessKey),
    sessionToken: String(Token),
    ...(typeof Expiration === "string" ? { expiration: new Date(Expiration) } : {}),
  };
}

export class UnusableAnswer extends Error {}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Its message would quote the answer.
  }
  throw new UnusableAnswer();
}
