// The proof of an AWS identity: a signed request for STS GetCallerIdentity, which Vault sends in our place.
// Source: HashiCorp Vault HTTP API, "AWS auth method: Login".
import { sign } from "../aws/call/call.ts";
import { Clock } from "../aws/call/clock.ts";
import { parseRegion } from "../aws/region.ts";
import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import type { LoadIdentity, Proof } from "./call.ts";
import { need } from "./settings.ts";

const BODY = "Action=GetCallerIdentity&Version=2011-06-15";

export async function proveByAws(env: Environment, identity: LoadIdentity): Promise<Proof> {
  const role = need(env, "VAULT_ROLE", "the role of VAULT_AUTH=aws");
  const { region, url } = stsOf(env);
  const { host: _, ...headers } = sign(
    { identity: await identity(), clock: new Clock(), region },
    {
      service: "sts",
      method: "POST",
      url,
      headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8", ...serverIdOf(env) },
      body: BODY,
    },
  );
  return {
    body: {
      role,
      iam_http_request_method: "POST",
      iam_request_url: base64(url.href),
      iam_request_body: base64(BODY),
      iam_request_headers: base64(JSON.stringify(headers)),
    },
    hint: "check VAULT_ROLE and its bound_iam_principal_arn, VAULT_AWS_IAM_SERVER_ID, and VAULT_AWS_STS_REGION",
  };
}

// Vault sends it to the STS of its own configuration, the global one by default (sts_endpoint, sts_region).
function stsOf(env: Environment): { region: string; url: URL } {
  const named = env["VAULT_AWS_STS_REGION"] ?? "";
  if (named === "") return { region: "us-east-1", url: new URL("https://sts.amazonaws.com/") };
  const region = parseRegion(named, "VAULT_AWS_STS_REGION").name;
  const suffix = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return { region, url: new URL(`https://sts.${region}.${suffix}/`) };
}

function serverIdOf(env: Environment): Readonly<Record<string, string>> {
  const id = env["VAULT_AWS_IAM_SERVER_ID"] ?? "";
  if (id === "") return {};
  if (/^[\x21-\x7e]{1,1024}$/.test(id)) return { "x-vault-aws-iam-server-id": id };
  const hint = "the value of iam_server_id_header_value in Vault's auth/aws/config/client";
  throw new SealexecError("config", "VAULT_AWS_IAM_SERVER_ID cannot be sent as a header", { hint });
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
