/**
 * The SDK's clients as sealexec uses them: one attempt a call (retry.ts retries), our agents, and every option that
 * the SDK would otherwise look up in files given here, so that a start reads none.
 */
import { KMSClient, S3Client } from "../sdk.ts";
import type { Environment } from "../../base/env.ts";
import type { Agents } from "../../http/agents.ts";
import { hasSharedFiles } from "../shared-files.ts";
import type { Credentials } from "../credentials/source.ts";
import { customEndpoint } from "../endpoint/custom.ts";
import { ONLY_200 } from "./only-200.ts";
import { usesEndpoint } from "../endpoint/profile.ts";

/** What both clients are given alike. */
export function clientConfig(region: string, credentials: Credentials, agents: Agents, env: Environment) {
  return {
    region,
    // Without `expiration`: whether credentials are still good is for AWS to say, not for this machine's clock.
    credentials: async () => credentials.identity,
    maxAttempts: 1,
    retryMode: "standard",
    defaultsMode: "standard",
    userAgentAppId: async () => undefined,
    authSchemePreference: async () => [],
    sigv4aSigningRegionSet: async () => undefined,
    disableClockSkewCorrection: async () => false,
    ignoreConfiguredEndpointUrls: !hasSharedFiles(env),
    useDualstackEndpoint: usesEndpoint("use_dualstack_endpoint", env),
    useFipsEndpoint: usesEndpoint("use_fips_endpoint", env),
    requestHandler: {
      httpAgent: agents.httpAgent,
      httpsAgent: agents.httpsAgent,
      connectionTimeout: 0,
      throwOnRequestTimeout: false,
    },
  } as const;
}

export function createS3Client(
  region: string,
  credentials: Credentials,
  agents: Agents,
  env: Environment,
): S3Client {
  const endpoint = customEndpoint("s3", env);
  const client = new S3Client({
    ...clientConfig(region, credentials, agents, env),
    ...(endpoint === undefined ? {} : { endpoint: endpoint.href, forcePathStyle: true }),
    // The GCM tag is the check of what was read; a CRC beside it would add nothing.
    responseChecksumValidation: "WHEN_REQUIRED",
    requestChecksumCalculation: "WHEN_REQUIRED",
    followRegionRedirects: false,
    useArnRegion: false,
    disableS3ExpressSessionAuth: false,
  });
  client.middlewareStack.use(ONLY_200);
  return client;
}

export function createKmsClient(
  region: string,
  credentials: Credentials,
  agents: Agents,
  env: Environment,
): KMSClient {
  const endpoint = customEndpoint("kms", env);
  const client = new KMSClient({
    ...clientConfig(region, credentials, agents, env),
    ...(endpoint === undefined ? {} : { endpoint: endpoint.href }),
  });
  client.middlewareStack.use(ONLY_200);
  return client;
}
