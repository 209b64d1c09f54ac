import type { Environment } from "../context.ts";
import type { Connections } from "./connections.ts";
import { customEndpoint } from "./endpoints.ts";
import { SILENT } from "./silent.ts";

/** How an STS client is set up, ours and the providers' own: our agents, one attempt a call, the configured endpoint. */
export function stsConfig(env: Environment, connections: Connections, region: string | undefined) {
  const endpoint = customEndpoint("sts", env);
  return {
    // STS's global endpoint is served from here; it answers for every commercial region.
    region: region ?? "us-east-1",
    maxAttempts: 1,
    logger: SILENT,
    requestHandler: {
      httpAgent: connections.httpAgent,
      httpsAgent: connections.httpsAgent,
      connectionTimeout: 0,
    },
    ...(endpoint === undefined ? {} : { endpoint: endpoint.href }),
  };
}
