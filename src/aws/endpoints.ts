/** Where requests may go: endpoints from the environment, and the rule against plain HTTP. */
import type { Context } from "../context.ts";
import type { Environment } from "../env.ts";
import { SealexecError } from "../errors.ts";
import { isTrue } from "./flag.ts";
import { printable } from "../logger.ts";

/** The services that are asked, and how each is named in AWS_ENDPOINT_URL_…. */
const ENDPOINT_NAMES = {
  s3: "S3",
  kms: "KMS",
  sts: "STS",
  secretsmanager: "SECRETS_MANAGER",
  ssm: "SSM",
} as const;

export type Service = keyof typeof ENDPOINT_NAMES;

/**
 * The custom endpoint of a service, or undefined where AWS's own is used.
 * Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
 *
 * @throws "config" where it is not a URL, or is plain HTTP to a host outside this machine
 */
export function customEndpoint(service: Service, env: Environment): URL | undefined {
  if (isTrue(env, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) return undefined;
  for (const name of [`AWS_ENDPOINT_URL_${ENDPOINT_NAMES[service]}`, "AWS_ENDPOINT_URL"]) {
    const value = env[name];
    if (value !== undefined && value !== "") return parseEndpoint(name, value, env);
  }
  return undefined;
}

/** Parses an endpoint URL of the environment, named `name` there. */
export function parseEndpoint(name: string, value: string, env: Environment): URL {
  const url = URL.parse(value);
  const valid =
    url !== null &&
    (url.protocol === "http:" || url.protocol === "https:") &&
    url.hostname !== "" &&
    url.username === "" &&
    url.password === "" &&
    // A bare "?" or "#" too, which URL does not tell.
    !/[?#]/.test(value);
  if (!valid) {
    throw new SealexecError("config", `${name} is not an endpoint URL`, {
      hint: "give scheme and host, such as https://s3.example.com",
    });
  }
  if (url.protocol === "http:") refusePlainHttp(url.hostname, env);
  return url;
}

/** @throws "config" unless plain HTTP to `host` stays on this machine or its metadata services */
export function refusePlainHttp(host: string, env: Environment): void {
  if (isLocal(host) || env["SEALEXEC_ALLOW_HTTP"] === "1") return;
  throw new SealexecError("config", `${printable(host)}: plain HTTP is refused outside this machine`, {
    hint: "use an https: endpoint (or set SEALEXEC_ALLOW_HTTP=1 on a network that you trust wholly)",
  });
}

// IMDS, the ECS agent, the EKS Pod Identity agent, and the IPv6 forms of the first and the last.
const METADATA_HOSTS = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "169.254.170.23",
  "fd00:ec2::254",
  "fd00:ec2::23",
]);

function isLocal(host: string): boolean {
  return isLoopback(host) || METADATA_HOSTS.has(plainHost(host));
}

/** Whether a host, of a URL or of a socket, is this machine. */
export function isLoopback(host: string): boolean {
  const name = plainHost(host);
  return name === "localhost" || name === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

function plainHost(host: string): string {
  return host.replace(/^\[|\]$/g, "").toLowerCase();
}

/** Refuses, before anything is sent, what no request could be sent to. */
export function checkEndpoints(context: Context): void {
  for (const service of Object.keys(ENDPOINT_NAMES) as Service[]) customEndpoint(service, context.env);
  const metadata = context.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"];
  if (metadata !== undefined && metadata !== "")
    parseEndpoint("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata, context.env);
}
