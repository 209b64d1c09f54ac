import type { Environment } from "../context.ts";
import type { Agents } from "./agents.ts";
import { customEndpoint } from "./endpoints.ts";
import { SILENT } from "./silent.ts";

/** How an STS client is set up, ours and the providers' own: our agents, one attempt a call, the configured endpoint. */
export function stsConfig(env: Environment, agents: Agents, region: string | undefined) {
  const endpoint = customEndpoint("sts", env);
  return {
    // STS's global endpoint is served from here; it answers for every commercial region.
    region: region ?? "us-east-1",
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
