import type { Environment } from "../../base/env.ts";
import type { Agents } from "../../http/agents.ts";
import { customEndpoint } from "../endpoint/custom.ts";
import { usesEndpoint } from "../endpoint/profile.ts";
import { SILENT } from "./silent.ts";

/** How an STS client is set up, ours and the providers' own: our agents, one attempt a call, the configured endpoint. */
export function stsConfig(env: Environment, agents: Agents, region: () => Promise<string>) {
  const endpoint = customEndpoint("sts", env);
  return {
    region,
    useDualstackEndpoint: usesEndpoint("use_dualstack_endpoint", env),
    useFipsEndpoint: usesEndpoint("use_fips_endpoint", env),
    maxAttempts: 1,
    logger: SILENT,
    requestHandler: {
      httpAgent: agents.httpAgent,
      httpsAgent: agents.httpsAgent,
      connectionTimeout: 0,
    },
    ...(endpoint === undefined ? {} : { endpoint: endpoint.href }),
  };
}
