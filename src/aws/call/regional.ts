/** Calls of the AWS JSON services that have only the direct way: Secrets Manager and Systems Manager. */
import type { Context } from "../../base/context.ts";
import { SealexecError } from "../../base/errors.ts";
import { hasSharedFiles } from "../settings.ts";
import type { Direct } from "./call.ts";
import { regionalService } from "../endpoint.ts";
import { callJson } from "./json.ts";
import { classify } from "./failure.ts";
import type { OwnMeaning } from "./failure.ts";
import { retry } from "../../http/retry.ts";
import type { AwsNeed, AwsSession } from "../session.ts";

const ATTEMPT_MS = 10_000;

export type RegionalService = Parameters<typeof regionalService>[0];

const ENDPOINT_VARIABLES: Readonly<Record<RegionalService, string>> = {
  secretsmanager: "AWS_ENDPOINT_URL_SECRETS_MANAGER",
  ssm: "AWS_ENDPOINT_URL_SSM",
};

/**
 * What a source of such a service wants of AWS.
 *
 * @param region the one that its URI names
 */
export function regionalNeed(service: RegionalService, region: string | undefined): AwsNeed {
  return {
    // All sources of one service in one region share what is found out about it.
    home: region === undefined ? service : `${service} in ${region}`,
    ...(region === undefined ? {} : { region }),
    urls: (found, _, env) => [regionalService(service, found, env)],
  };
}

export interface RegionalCall {
  readonly service: RegionalService;
  readonly need: AwsNeed;
  /** `GetSecretValue`, `GetParameter`, … */
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** what the service's refusals mean for this operation */
  readonly meaning: OwnMeaning;
  /** give up after so many; absent: when the time is over */
  readonly mostAttempts?: number;
}

/**
 * Calls an operation once (more only where an attempt failed).
 *
 * @throws what `meaning` and meanings.ts say; "config" where there is no region or no endpoint
 */
export function callRegional(
  { service, need, operation, input, meaning, mostAttempts }: RegionalCall,
  session: AwsSession,
  context: Context,
): Promise<Readonly<Record<string, unknown>>> {
  return retry(
    context,
    {
      attemptMs: ATTEMPT_MS,
      classify: (error) => classify(operation, error, meaning),
      ...(mostAttempts === undefined ? {} : { mostAttempts }),
    },
    async (signal) =>
      callJson(await wayTo(service, need, session, context), service, operation, input, signal),
  );
}

async function wayTo(
  service: RegionalService,
  need: AwsNeed,
  session: AwsSession,
  context: Context,
): Promise<Direct> {
  if (hasSharedFiles(context.env)) {
    const { refuseProfileEndpoint } = await import("../config-file.ts");
    refuseProfileEndpoint(service, context.env);
  }
  const direct = await session.direct(need, (region, env) => regionalService(service, region, env));
  if (direct !== undefined) return direct;
  throw new SealexecError(
    "config",
    `the endpoint of ${service} in ${session.regionName(need)} is not supported yet`,
    { hint: `check AWS_REGION, or set ${ENDPOINT_VARIABLES[service]} to its URL` },
  );
}
