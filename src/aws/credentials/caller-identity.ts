import type { Environment } from "../../base/env.ts";
import type { Identity } from "./source.ts";
import type { Network } from "../../http/network.ts";
import { ONLY_200 } from "../call/only-200.ts";
import { GetCallerIdentityCommand, STSClient } from "../sdk.ts";
import { stsConfig } from "./sts.ts";

export interface Who {
  readonly identity: Identity;
  readonly region: () => Promise<string>;
  readonly network: Network;
  readonly env: Environment;
}

/** STS GetCallerIdentity, which needs no permission, once: the ARN of who this is. Rejects as the SDK does. */
export async function getCallerIdentity(
  { identity, region, network, env }: Who,
  signal: AbortSignal,
): Promise<string | undefined> {
  const client = new STSClient({
    ...stsConfig(env, await network.agents(), region),
    credentials: async () => identity,
  });
  client.middlewareStack.use(ONLY_200);
  const { Arn } = await client.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
  return Arn;
}
