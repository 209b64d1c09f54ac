/** Where requests may go: endpoints from the environment, and the rule against plain HTTP. */
import type { Context } from "../../base/context.ts";
import type { Environment } from "../../base/env.ts";
import { isTrue } from "../flag.ts";
import { parseEndpoint } from "../../http/rules.ts";

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

/** Refuses, before anything is sent, what no request could be sent to. */
export function checkEndpoints(context: Context): void {
  for (const service of Object.keys(ENDPOINT_NAMES) as Service[]) customEndpoint(service, context.env);
  const metadata = context.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"];
  if (metadata !== undefined && metadata !== "")
    parseEndpoint("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata, context.env);
}
