/** Calls of the AWS JSON services that have only the direct way: Secrets Manager and Systems Manager. */
import type { Context } from "../../base/context.ts";
import { defined } from "../../base/defined.ts";
import { SealexecError } from "../../base/errors.ts";
import { retry } from "../../http/retry.ts";
import { endpointVariable, regionalService } from "../endpoint.ts";
import type { RegionalService } from "../endpoint.ts";
import type { AwsNeed, AwsSession } from "../session.ts";
import { hasSharedFiles } from "../settings.ts";
import type { Direct } from "./call.ts";
import { classify } from "./failure.ts";
import type { OwnMeaning } from "./failure.ts";
import { callJson } from "./json.ts";
import type { JsonCall } from "./json.ts";

const ATTEMPT_MS = 10_000;

export function regionalNeed(service: RegionalService, region: string | undefined): AwsNeed {
  return {
    // All sources of one service in one region share what is found out about it.
    home: region === undefined ? service : `${service} in ${region}`,
    ...defined({ region }),
    urls: (found, _, env) => [regionalService(service, found, env)],
  };
}

export interface RegionalCall extends JsonCall {
  readonly service: RegionalService;
  readonly need: AwsNeed;
  /** what the service's refusals mean for this operation */
  readonly meaning: OwnMeaning;
  readonly mostAttempts?: number;
}

export function callRegional(
  call: RegionalCall,
  session: AwsSession,
  context: Context,
): Promise<Readonly<Record<string, unknown>>> {
  const explain = (error: unknown) => classify(call.operation, error, call.meaning);
  const { mostAttempts } = call;
  const options = { attemptMs: ATTEMPT_MS, classify: explain, ...defined({ mostAttempts }) };
  return retry(context, options, async (signal) =>
    callJson(await wayTo(call, session, context), call, signal),
  );
}

async function wayTo(
  { service, need }: RegionalCall,
  session: AwsSession,
  { env }: Context,
): Promise<Direct> {
  if (hasSharedFiles(env)) (await import("../config-file.ts")).refuseProfileEndpoint(service, env);
  const direct = await session.direct(need, (region) => regionalService(service, region, env));
  if (direct !== undefined) return direct;
  const says = `the endpoint of ${service} in ${session.regionName(need)} is not supported yet`;
  const hint = `check AWS_REGION, or set ${endpointVariable(service)} to its URL`;
  throw new SealexecError("config", says, { hint });
}
