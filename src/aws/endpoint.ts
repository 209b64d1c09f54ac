/** Where AWS is asked: at an endpoint of the environment, or at its own host in a commercial region. */
// All else is for the SDK: other partitions, FIPS, dual stack, directory buckets, Outposts, a shared file.
import type { Environment } from "../base/env.ts";
import { parseEndpoint } from "../http/rules.ts";
import { hasSharedFiles, isTrue } from "./settings.ts";

/** The services that are asked, and how each is named in AWS_ENDPOINT_URL_…. */
const NAMES = { s3: "S3", kms: "KMS", sts: "STS", secretsmanager: "SECRETS_MANAGER", ssm: "SSM" } as const;

export type Service = keyof typeof NAMES;

export function endpointVariable(service: Service): string {
  return `AWS_ENDPOINT_URL_${NAMES[service]}`;
}

/** undefined: AWS's own. Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints". */
export function customEndpoint(service: Service, env: Environment): URL | undefined {
  if (isTrue(env, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) return undefined;
  return endpointIn(env, endpointVariable(service)) ?? endpointIn(env, "AWS_ENDPOINT_URL");
}

/** Refuses, before anything is sent, what no request could be sent to. */
export function checkEndpoints(env: Environment): void {
  for (const service of Object.keys(NAMES) as Service[]) customEndpoint(service, env);
  endpointIn(env, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
}

function endpointIn(env: Environment, name: string): URL | undefined {
  const value = env[name];
  return value === undefined || value === "" ? undefined : parseEndpoint(name, value, env);
}

const COMMERCIAL_REGION = /^(us|ca|mx|sa|eu|ap|me|af|il)-[a-z]+-\d$/;
const CHINESE_REGION = /^cn-[a-z]+-\d$/;
const GOV_REGION = /^us-gov-[a-z]+-\d$/;
const FIPS_REGION = /^(us|ca|us-gov)-[a-z]+-\d$/;

// Amazon S3 User Guide, "General purpose bucket naming rules": reserved suffixes, whose buckets answer elsewhere.
const SPECIAL_BUCKET = /(--x-s3|--op-s3|--ol-s3|--table-s3|\.mrap)$/;

/** Virtual-hosted; by path on a custom endpoint, and if a dot in the name would not fit the certificate. */
export function directObject(bucket: string, key: string, region: string, env: Environment): URL | undefined {
  const path = key.split("/").map(encodeUriComponent).join("/");
  const custom = customEndpoint("s3", env);
  if (needsSdk(env) || SPECIAL_BUCKET.test(bucket)) return undefined;
  if (custom !== undefined) return below(custom, `${bucket}/${path}`);
  if (!COMMERCIAL_REGION.test(region)) return undefined;
  const host = `s3.${region}.amazonaws.com`;
  return bucket.includes(".")
    ? new URL(`https://${host}/${bucket}/${path}`)
    : new URL(`https://${bucket}.${host}/${path}`);
}

export function directService(service: "kms", region: string, env: Environment): URL | undefined {
  const custom = customEndpoint(service, env);
  if (needsSdk(env)) return undefined;
  if (custom !== undefined) return below(custom, "");
  return COMMERCIAL_REGION.test(region) ? new URL(`https://${service}.${region}.amazonaws.com/`) : undefined;
}

/** They are asked directly alone, so that a shared config file is no reason against it. */
export type RegionalService = "secretsmanager" | "ssm";

/** Also in aws-cn and aws-us-gov, and at FIPS endpoints; undefined for dual stack and other regions. */
// AWS General Reference, "… endpoints and quotas"; both services' rule sets in botocore.
export function regionalService(service: RegionalService, region: string, env: Environment): URL | undefined {
  const custom = customEndpoint(service, env);
  if (custom !== undefined) return below(custom, "");
  if (isTrue(env, "AWS_USE_DUALSTACK_ENDPOINT")) return undefined;
  const suffix = suffixOf(region);
  if (suffix === undefined) return undefined;
  if (!isTrue(env, "AWS_USE_FIPS_ENDPOINT")) return new URL(`https://${service}.${region}.${suffix}/`);
  if (!FIPS_REGION.test(region)) return undefined;
  // In GovCloud the ordinary host of Systems Manager is the FIPS one.
  const host = service === "ssm" && region.startsWith("us-gov-") ? "ssm" : `${service}-fips`;
  return new URL(`https://${host}.${region}.${suffix}/`);
}

function suffixOf(region: string): string | undefined {
  if (CHINESE_REGION.test(region)) return "amazonaws.com.cn";
  return COMMERCIAL_REGION.test(region) || GOV_REGION.test(region) ? "amazonaws.com" : undefined;
}

function needsSdk(env: Environment): boolean {
  return (
    isTrue(env, "AWS_USE_DUALSTACK_ENDPOINT") || isTrue(env, "AWS_USE_FIPS_ENDPOINT") || hasSharedFiles(env)
  );
}

function below(endpoint: URL, path: string): URL {
  return new URL(`${endpoint.href.replace(/\/$/, "")}/${path}`);
}

/** RFC 3986, section 2.3: everything but unreserved characters, as SigV4 wants it. */
export function encodeUriComponent(text: string): string {
  const escape = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text).replace(/[!'()*]/g, escape);
}
