/** Failures in the words of "Error responses" (S3 API Reference). */
import { ServiceError } from "./http.ts";
import type { CallInfo, Reply, Request } from "./http.ts";
import { element, textElement, textElements, XML_DECLARATION } from "./xml.ts";

export function noSuchKey(key: string, headers: Record<string, string> = {}): ServiceError {
  return new ServiceError(404, "NoSuchKey", "The specified key does not exist.", {
    fields: { Key: key },
    headers,
  });
}

export function preconditionFailed(condition: string): ServiceError {
  return new ServiceError(
    412,
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
    { fields: { Condition: condition } },
  );
}

/** "…is not authorized to perform: ACTION on resource: …": S3 says who and what since 2024 for calls of one account. */
export function accessDenied(arn: string, action: string, resource: string): ServiceError {
  return new ServiceError(
    403,
    "AccessDenied",
    `User: ${arn} is not authorized to perform: ${action} on resource: "${resource}" because no identity-based policy allows the ${action} action`,
  );
}

export function hostId(requestId: string): string {
  return Buffer.from(`sealexec-loopback-s3-${requestId}-host`).toString("base64");
}

/** HEAD, 304 and their like have no body: then only the status says what was wrong. */
export function renderS3Error(error: ServiceError, request: Request, call: CallInfo): Reply {
  const noBody = request.method === "HEAD" || error.status === 304;
  const xml =
    XML_DECLARATION +
    element(
      "Error",
      textElement("Code", error.code),
      textElement("Message", error.message),
      textElements(error.fields),
      textElement("RequestId", call.requestId),
      textElement("HostId", hostId(call.requestId)),
    );
  return {
    status: error.status,
    headers: { ...error.headers, ...(noBody ? {} : { "content-type": "application/xml" }) },
    body: noBody ? "" : xml,
  };
}
