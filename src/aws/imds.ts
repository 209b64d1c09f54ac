/** IMDSv2 alone: nothing is ever asked without a token. Source: EC2 User Guide, "Use IMDSv2". */
import type { Context } from "../base/context.ts";
import { orAborted } from "../base/deadline.ts";
import { isSet } from "../base/env.ts";
import type { Environment } from "../base/env.ts";
import { ask } from "../http/ask.ts";
import type { Network } from "../http/network.ts";
import { parseEndpoint } from "../http/rules.ts";
import { hasSharedFiles, isTrue } from "./settings.ts";

const LARGEST_ANSWER_BYTES = 64 * 1024;
const IPV4_ENDPOINT = "http://169.254.169.254";
const IPV6_ENDPOINT = "http://[fd00:ec2::254]";
const TOKEN_PATH = "/latest/api/token";

export class MetadataRefusal extends Error {
  readonly path: string;
  readonly statusCode: number;

  constructor(path: string, statusCode: number) {
    super(`${path}: ${statusCode}`);
    this.path = path;
    this.statusCode = statusCode;
  }
}

export async function metadataEndpoint(env: Environment): Promise<string> {
  const named = env["AWS_EC2_METADATA_SERVICE_ENDPOINT"];
  if (named !== undefined && named !== "") return named;
  if (env["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"]?.toLowerCase() === "ipv6") return IPV6_ENDPOINT;
  if (!hasSharedFiles(env)) return IPV4_ENDPOINT;
  const { configuredMetadataEndpoint } = await import("./config-file-sdk.ts");
  const endpoint = await configuredMetadataEndpoint();
  if (endpoint === undefined) return IPV4_ENDPOINT;
  return parseEndpoint("ec2_metadata_service_endpoint", endpoint, env).href;
}

/** Not one that somebody has named, who knows that there is one. */
export function isStandardEndpoint(endpoint: string, env: Environment): boolean {
  return endpoint === IPV4_ENDPOINT && !isSet(env, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
}

const REGION_TIMEOUT_MS = 1_000;

/** The region of the instance. That nobody answers is no error here: it is not known from there, then. */
export async function instanceRegion(
  { env, deadline }: Context,
  network: Network,
): Promise<string | undefined> {
  if (isTrue(env, "AWS_EC2_METADATA_DISABLED")) return undefined;
  const signal = AbortSignal.any([deadline.signal, AbortSignal.timeout(REGION_TIMEOUT_MS)]);
  try {
    const read = metadataReader(await metadataEndpoint(env), network, signal);
    return await orAborted(read("placement/region"), signal);
  } catch {
    return undefined;
  }
}

/** Reads below /latest/meta-data/, with a token asked for once. Rejects with MetadataRefusal, or as `ask`. */
export function metadataReader(
  endpoint: string,
  network: Network,
  signal: AbortSignal,
): (path: string) => Promise<string> {
  const send = async (method: "GET" | "PUT", path: string, headers: Record<string, string>) => {
    const question = { method, url: new URL(path, endpoint), headers, largestBody: LARGEST_ANSWER_BYTES };
    const { status, body } = await ask(network, question, signal);
    if (status !== 200) throw new MetadataRefusal(path, status);
    return body.toString("utf8").trim();
  };
  let token: string | undefined;
  return async (path) => {
    token ??= await send("PUT", TOKEN_PATH, { "x-aws-ec2-metadata-token-ttl-seconds": "21600" });
    // No request goes without one.
    if (token === "") throw new MetadataRefusal(TOKEN_PATH, 200);
    return send("GET", `/latest/meta-data/${path}`, { "x-aws-ec2-metadata-token": token });
  };
}
