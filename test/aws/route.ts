import type { Request, ServiceName } from "./http.ts";
import { parseAuthorization } from "./sigv4.ts";

/** Which service a request on the common listener is for: by its Host, else by the scope of its signature. */
export function routeByRequest(request: Request): ServiceName {
  const host = request.headers.get("host") ?? "";
  const named = /(?:^|\.)(s3|kms|sts)(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?::\d+)?$/u.exec(host)?.[1];
  const scope = parseAuthorization(request.headers.get("authorization") ?? "")?.scope.service;
  const service = named ?? scope;
  if (service === "s3" || service === "kms" || service === "sts") return service;
  // AssumeRoleWithWebIdentity is not signed.
  return request.body.includes("Action=") ? "sts" : "s3";
}
