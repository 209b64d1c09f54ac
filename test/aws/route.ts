import type { Request, ServiceName } from "./http.ts";
import { parseAuthorization } from "./sigv4.ts";

const SERVICES = ["s3", "kms", "sts", "secretsmanager", "ssm"] as const;

/** Which service a request on the common listener is for: by its Host, else by the scope of its signature. */
export function routeByRequest(request: Request): ServiceName {
  const host = request.headers.get("host") ?? "";
  const named = /(?:^|\.)(s3|kms|sts|secretsmanager|ssm)(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?::\d+)?$/u.exec(
    host,
  )?.[1];
  const scope = parseAuthorization(request.headers.get("authorization") ?? "")?.scope.service;
  const service = named ?? scope;
  const known = SERVICES.find((candidate) => candidate === service);
  if (known !== undefined) return known;
  // AssumeRoleWithWebIdentity is not signed.
  return request.body.includes("Action=") ? "sts" : "s3";
}
