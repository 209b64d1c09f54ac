/** The SDK's clients: one attempt a call, our agents, and every option that they would look for in files. */
import type { Environment } from "../../base/env.ts";
import type { Agents } from "../../http/agents.ts";
import type { Network } from "../../http/network.ts";
import { usesEndpoint } from "../config-file.ts";
import type { Identity } from "../credentials/source.ts";
import { customEndpoint } from "../endpoint.ts";
import type { Service } from "../endpoint.ts";
import { GetCallerIdentityCommand, KMSClient, S3Client, STSClient } from "../sdk.ts";
import { hasSharedFiles } from "../settings.ts";

interface Parts {
  readonly region: string;
  readonly identity: Identity;
  readonly agents: Agents;
  readonly env: Environment;
}

export type ClientOf<T> = (parts: Parts) => T;

function commonConfig(service: Service, { agents, env }: Pick<Parts, "agents" | "env">) {
  const endpoint = customEndpoint(service, env);
  const { httpAgent, httpsAgent } = agents;
  return {
    maxAttempts: 1,
    useDualstackEndpoint: usesEndpoint("use_dualstack_endpoint", env),
    useFipsEndpoint: usesEndpoint("use_fips_endpoint", env),
    requestHandler: { httpAgent, httpsAgent, connectionTimeout: 0, throwOnRequestTimeout: false },
    ...(endpoint === undefined ? {} : { endpoint: endpoint.href }),
  } as const;
}

function clientConfig(service: "s3" | "kms", parts: Parts) {
  return {
    ...commonConfig(service, parts),
    region: parts.region,
    // Without `expiration`: whether credentials are still good is for AWS to say, not for this machine's clock.
    credentials: async () => parts.identity,
    retryMode: "standard",
    defaultsMode: "standard",
    userAgentAppId: async () => undefined,
    authSchemePreference: async () => [],
    sigv4aSigningRegionSet: async () => undefined,
    disableClockSkewCorrection: async () => false,
    ignoreConfiguredEndpointUrls: !hasSharedFiles(parts.env),
  } as const;
}

export const createS3Client: ClientOf<S3Client> = (parts) => {
  const config = clientConfig("s3", parts);
  const client = new S3Client({
    ...config,
    ...("endpoint" in config ? { forcePathStyle: true } : {}),
    // The GCM tag is the check of what was read; a CRC beside it would add nothing.
    responseChecksumValidation: "WHEN_REQUIRED",
    requestChecksumCalculation: "WHEN_REQUIRED",
    followRegionRedirects: false,
    useArnRegion: false,
    disableS3ExpressSessionAuth: false,
  });
  client.middlewareStack.use(ONLY_200);
  return client;
};

export const createKmsClient: ClientOf<KMSClient> = (parts) => {
  const client = new KMSClient(clientConfig("kms", parts));
  client.middlewareStack.use(ONLY_200);
  return client;
};

const nothing = (): void => {};
/** A log for the SDK, which would otherwise write to the console. */
export const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing, trace: nothing };

export function stsConfig(env: Environment, agents: Agents, region: () => Promise<string>) {
  return { ...commonConfig("sts", { agents, env }), region, logger: SILENT };
}

export interface Who {
  readonly identity: Identity;
  readonly region: () => Promise<string>;
  readonly network: Network;
  readonly env: Environment;
}

/** The ARN of who this is, by STS, which needs no permission for it. Rejects as the SDK does. */
export async function getCallerIdentity(
  { identity, region, network, env }: Who,
  signal: AbortSignal,
): Promise<string | undefined> {
  const config = stsConfig(env, await network.agents(), region);
  const client = new STSClient({ ...config, credentials: async () => identity });
  client.middlewareStack.use(ONLY_200);
  const { Arn } = await client.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
  return Arn;
}

interface Stack {
  add(middleware: (next: Next) => Next, options: Readonly<Record<string, string>>): void;
}

type Next = (args: { readonly request: unknown }) => Promise<{ readonly response: unknown }>;

/** A plugin (smithy.io, "Middleware stack"): a whole 200 is an answer, any other that says "well" is none. */
export const ONLY_200 = {
  applyToStack(stack: object): void {
    const check =
      (next: Next): Next =>
      async (args) => {
        const answer = await next(args);
        const { statusCode, headers, body } = answer.response as {
          statusCode: number;
          headers: Readonly<Record<string, string>>;
          body?: { destroy?: () => void };
        };
        // As in call.ts: a part of an object, or what a proxy made of it, is not what was asked for.
        const isWhole = statusCode === 200 && headers["content-range"] === undefined;
        if (isWhole || statusCode >= 300) return answer;
        body?.destroy?.();
        const $metadata = { httpStatusCode: statusCode };
        throw Object.assign(new Error("unreadable"), { name: "UnreadableAnswer", $metadata });
      };
    // Closest to the connection of its step.
    (stack as Stack).add(check, { name: "only200", step: "deserialize", priority: "low" });
  },
};
