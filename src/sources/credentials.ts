/** What makes the AWS credentials. */
import type { Environment } from "../base/env.ts";
import { parseCredentialsRef } from "../vault/credentials-ref.ts";
import type { CredentialsRef } from "../vault/credentials-ref.ts";

/** What makes the AWS credentials; undefined: the chain finds them. */
export function parseCredentials(flag: string | undefined, env: Environment): CredentialsRef | undefined {
  const text = flag ?? env["SEALEXEC_CREDENTIALS"];
  return text === undefined ? undefined : parseCredentialsRef(text);
}
