/** Faults as HTTP: the answers that stand in for a service's, and the ways to spoil its answer. */
import { checksum } from "./checksums.ts";
import type { CallFault, ReplyFault, RequestFault } from "./faults.ts";
import { ServiceError } from "./http.ts";
import type { Reply, ServiceName } from "./http.ts";

/** A reply, and how it goes over the wire. */
export interface Transmission {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** so many zeros in place of the body */
  readonly zeros?: number;
  /** FIN after so many bytes of the body; Content-Length speaks of all */
  readonly cutAt?: number;
  /** one byte at a time */
  readonly dripMs?: number;
}

export function plainTransmission(reply: Reply): Transmission {
  return { status: reply.status, headers: reply.headers ?? {}, body: Buffer.from(reply.body ?? "") };
}

const JSON_SERVICES: readonly ServiceName[] = ["kms", "secretsmanager", "ssm"];

/** What the SDKs know as a throttling or server error, for each service. */
function defaultCode(service: ServiceName, status: number): string {
  const isJson = JSON_SERVICES.includes(service);
  if (isJson && status === 400) return "ThrottlingException";
  if (service === "sts" && status === 400) return "Throttling";
  if (service === "kms" && status >= 500)
    return status === 503 ? "DependencyTimeoutException" : "KMSInternalException";
  if (isJson && status >= 500) return service === "ssm" ? "InternalServerError" : "InternalServiceError";
  if (status === 503) return service === "s3" ? "SlowDown" : "ServiceUnavailable";
  if (status === 429) return "TooManyRequestsException";
  if (status === 403) return isJson ? "AccessDeniedException" : "AccessDenied";
  return status >= 500 ? "InternalError" : "InvalidRequest";
}

const MESSAGES: Readonly<Record<string, string>> = {
  SlowDown: "Please reduce your request rate.",
  ThrottlingException: "Rate exceeded",
  Throttling: "Rate exceeded",
  InternalError: "We encountered an internal error. Please try again.",
};

export function statusError(
  service: ServiceName,
  fault: { status: number; code?: string; message?: string },
): ServiceError {
  const code = fault.code ?? defaultCode(service, fault.status);
  return new ServiceError(fault.status, code, fault.message ?? MESSAGES[code] ?? code);
}

/** "Request redirection and the REST API" (S3 API Reference). */
function redirectError(fault: Extract<RequestFault, { action: "redirect" }>): ServiceError {
  const location = fault.location === undefined ? {} : { location: fault.location };
  const headers = { "x-amz-bucket-region": fault.region, ...location };
  const fields = { Endpoint: `s3.${fault.region}.amazonaws.com`, Region: fault.region };
  switch (fault.status) {
    case 301:
      return new ServiceError(
        301,
        "PermanentRedirect",
        "The bucket must be addressed using the specified endpoint.",
        { fields, headers },
      );
    case 307:
      return new ServiceError(
        307,
        "TemporaryRedirect",
        "Please re-send this request to the specified temporary endpoint.",
        { fields, headers },
      );
    case 400:
      return new ServiceError(
        400,
        "AuthorizationHeaderMalformed",
        `The authorization header is malformed; the region is wrong; expecting '${fault.region}'`,
        { fields, headers },
      );
  }
}

/** The answer in place of the service's; undefined: the service answers. Errors are for the service to render. */
export function substitute(service: ServiceName, fault: CallFault): Transmission | ServiceError | undefined {
  switch (fault.action) {
    case "status":
      return statusError(service, fault);
    case "redirect":
      return redirectError(fault);
    case "errorIn200": {
      const code = fault.code ?? "InternalError";
      const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${MESSAGES[code] ?? code}</Message></Error>`;
      return { status: 200, headers: { "content-type": "application/xml" }, body: Buffer.from(xml) };
    }
    case "body": {
      const headers = { "content-type": fault.contentType ?? "text/html" };
      return { status: fault.status ?? 200, headers, body: Buffer.from(fault.body) };
    }
    case "hugeBody": {
      const headers = {
        "content-type": "application/octet-stream",
        etag: '"00000000000000000000000000000000"',
      };
      return { status: 200, headers, body: Buffer.alloc(0), zeros: fault.bytes ?? 100_000_000 };
    }
    default:
      return undefined;
  }
}

/** Spoils an answer on its way out. */
export function spoil(reply: Transmission, fault: ReplyFault): Transmission {
  const half = Math.floor(reply.body.length / 2);
  switch (fault.action) {
    case "closeMidBody":
    case "cutJson":
      return { ...reply, cutAt: Math.min(fault.bytes ?? half, Math.max(0, reply.body.length - 1)) };
    case "drip":
      return { ...reply, dripMs: fault.everyMs ?? 1000 };
    case "wrongLength":
      return { ...reply, body: reply.body.subarray(0, fault.bytes ?? half) };
    case "wrongCrc":
      return { ...reply, headers: wrongChecksum(reply) };
    case "answerAs":
      return { ...reply, status: fault.status };
    case "flipBit":
      return { ...reply, body: flipBit(reply.body, fault.at ?? half) };
    case "header":
      return { ...reply, headers: withHeader(reply.headers, fault.name.toLowerCase(), fault.value) };
    case "replaceObject":
      return reply;
  }
}

function wrongChecksum(reply: Transmission): Record<string, string> {
  const wrong = checksum("crc32", Buffer.concat([reply.body, Buffer.from("!")]));
  const others = Object.entries(reply.headers).filter(([name]) => !name.startsWith("x-amz-checksum-"));
  return {
    ...Object.fromEntries(others),
    "x-amz-checksum-crc32": wrong,
    "x-amz-checksum-type": "FULL_OBJECT",
  };
}

function flipBit(body: Buffer, at: number): Buffer {
  const copy = Buffer.from(body);
  copy.writeUInt8((copy[at] ?? 0) ^ 1, at);
  return copy;
}

function withHeader(
  headers: Readonly<Record<string, string>>,
  name: string,
  value: string,
): Record<string, string> {
  const others = Object.entries(headers).filter(([other]) => other !== name);
  return { ...Object.fromEntries(others), ...(value === "" ? {} : { [name]: value }) };
}
