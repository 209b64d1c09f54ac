import { getCallerIdentity } from "../aws/call/clients.ts";
import type { Credentials } from "../aws/credentials/source.ts";
import { classify } from "../aws/call/failure.ts";
import { retry } from "../http/retry.ts";
import type { AwsSession } from "../aws/session.ts";
import { step, type Context } from "../base/context.ts";
import { SealexecError } from "../base/errors.ts";

// A report is not worth a long wait for a service that `run` does not need.
const ATTEMPT_MS = 3_000;

// If STS cannot be asked (from a private subnet), the report says so and goes on: `run` would not ask it.
/** Whose credentials they are, as a step of the report: STS GetCallerIdentity, which needs no permission. */
export async function callerArn(
  session: AwsSession,
  credentials: Credentials,
  context: Context,
): Promise<void> {
  const { identity } = credentials;
  const who = { identity, region: () => session.anyRegion(), network: session.network, env: context.env };
  const explain = (error: unknown) => classify("GetCallerIdentity", error);
  const options = { attemptMs: ATTEMPT_MS, budgetMs: ATTEMPT_MS, classify: explain };
  const ask = async (): Promise<string> => {
    try {
      const arn = await retry(context, options, (signal) => getCallerIdentity(who, signal));
      return arn ?? "unknown";
    } catch (error) {
      if (!(error instanceof SealexecError) || error.kind === "denied") throw error;
      return `unknown: ${error.message}`;
    }
  };
  await step(context, "role", credentials.source, ask, (arn) => arn);
}
