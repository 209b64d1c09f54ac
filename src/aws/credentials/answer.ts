import type { LoadedIdentity } from "./source.ts";

export class UnusableAnswer extends Error {}

/** Whether they have expired is for AWS to say, not for this machine's clock. @throws UnusableAnswer */
export function parseCredentials(text: string): LoadedIdentity {
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = parseObject(text) ?? {};
  const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
  if (!isText(AccessKeyId) || !isText(SecretAccessKey) || !isText(Token)) throw new UnusableAnswer();
  const expiration = typeof Expiration === "string" ? { expiration: new Date(Expiration) } : {};
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token, ...expiration };
}

/** undefined for what is no JSON, or no object: the parser's own error would quote it. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
