/**
 * The EC2 instance metadata service, version 2 only: nothing is ever asked without a token.
 * Source: EC2 User Guide, "Use the Instance Metadata Service to access instance metadata".
 */
import type { Environment } from "../../base/env.ts";
import { isSet } from "../../base/env.ts";
import { hasSharedFiles } from "../shared-files.ts";
import { parseEndpoint } from "../../http/rules.ts";
import { ask } from "../../http/ask.ts";
import type { Network } from "../../http/network.ts";

const LARGEST_ANSWER_BYTES = 64 * 1024;
const IPV4_ENDPOINT = "http://169.254.169.254";
const IPV6_ENDPOINT = "http://[fd00:ec2::254]";
const TOKEN_PATH = "/latest/api/token";
const TOKEN_SECONDS = "21600";

/** The service answered, and not with what was asked for. */
export class MetadataRefusal extends Error {
  readonly path: string;
  readonly statusCode: number;

  constructor(path: string, statusCode: number) {
    super(`${path}: ${statusCode}`);
    this.path = path;
    this.statusCode = statusCode;
  }
}

/** Where the service is, by the environment or else the shared config file. */
export async function metadataEndpoint(env: Environment): Promise<string> {
  const named = env["AWS_EC2_METADATA_SERVICE_ENDPOINT"];
  if (named !== undefined && named !== "") return named;
  if (env["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"]?.toLowerCase() === "ipv6") return IPV6_ENDPOINT;
  return (hasSharedFiles(env) ? await endpointOfFile(env) : undefined) ?? IPV4_ENDPOINT;
}

/** Not one that somebody has named, who knows that there is one. */
export function isStandardEndpoint(endpoint: string, env: Environment): boolean {
  return endpoint === IPV4_ENDPOINT && !isSet(env, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
}

async function endpointOfFile(env: Environment): Promise<string | undefined> {
  const { configuredMetadataEndpoint } = await import("./endpoint.ts");
  const endpoint = await configuredMetadataEndpoint();
  return endpoint === undefined
    ? undefined
    : parseEndpoint("ec2_metadata_service_endpoint", endpoint, env).href;
}

/** One attempt's view of the service: its token is asked for once, with the first path. */
export class InstanceMetadata {
  readonly #endpoint: string;
  readonly #network: Network;
  readonly #signal: AbortSignal;
  #token: string | undefined;

  /** @param endpoint of metadataEndpoint */
  constructor(endpoint: string, network: Network, signal: AbortSignal) {
    this.#endpoint = endpoint;
    this.#network = network;
    this.#signal = signal;
  }

  /**
   * The text at a path below /latest/meta-data/.
   *
   * Rejects with MetadataRefusal, or as `ask` does.
   */
  async read(path: string): Promise<string> {
    this.#token ??= await this.#ask("PUT", TOKEN_PATH, {
      "x-aws-ec2-metadata-token-ttl-seconds": TOKEN_SECONDS,
    });
    // No request goes without one.
    if (this.#token === "") throw new MetadataRefusal(TOKEN_PATH, 200);
    return this.#ask("GET", `/latest/meta-data/${path}`, { "x-aws-ec2-metadata-token": this.#token });
  }

  async #ask(method: "GET" | "PUT", path: string, headers: Record<string, string>): Promise<string> {
    const url = new URL(path, this.#endpoint);
    const question = { method, url, headers, largestBody: LARGEST_ANSWER_BYTES };
    const { status, body } = await ask(this.#network, question, this.#signal);
    if (status !== 200) throw new MetadataRefusal(path, status);
    return body.toString("utf8").trim();
  }
}
