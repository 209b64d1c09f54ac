/** What an error of the AWS SDK, or of Node below it, means to us. The table of codes is in meanings.ts. */
import { SealexecError } from "../../base/errors.ts";
import type { Facts as EventFacts } from "../../base/errors.ts";
import { counted, printable } from "../../base/logger.ts";
import { CLOCK_SKEW, CLOCK_SKEW_LEARNED, UNKNOWN_YET, meaningOfCode, meaningOfStatus } from "./meanings.ts";
import type { Meaning } from "./meanings.ts";
import { AttemptTimeout } from "../../http/attempt.ts";
import type { Failure } from "../../http/attempt.ts";

/** The fields that an error of the SDK may have. */
interface ServiceError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly Code?: unknown;
  readonly $metadata?: {
    readonly httpStatusCode?: number;
    readonly requestId?: string;
    readonly clockSkewCorrected?: boolean;
    readonly unsettled?: boolean;
  };
  readonly $response?: { readonly headers?: Record<string, string> };
}

const UNREACHABLE_CODES = new Set([
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "EAI_NODATA",
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EHOSTDOWN",
  "EADDRNOTAVAIL",
  "ECONNCLOSED",
  "ESERVFAIL",
  "ETIMEOUT",
  "EREFUSED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "UND_ERR_SOCKET",
]);

const TLS_CODES =
  /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED|HOSTNAME_MISMATCH|EPROTO$|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$)/;

/**
 * What a service's own refusal means where that differs from meanings.ts; undefined: it does not.
 *
 * @param message AWS's words: to tell two meanings of one code apart, never to be shown
 */
export type OwnMeaning = (code: string, message: string) => Meaning | undefined;

/** Classifies what `operation` (for messages: `GetObject`, `Decrypt`) threw. */
export function classify(operation: string, error: unknown, own?: OwnMeaning): Failure {
  if (error instanceof SealexecError) return { error };
  if (error instanceof AttemptTimeout) {
    return {
      error: new SealexecError("timeout", `${operation}: no answer in time`, {
        code: "no-answer",
        facts: { operation },
        hint: "the service is connected but silent or very slow; raise --timeout (SEALEXEC_TIMEOUT) if it is only slow",
        cause: error,
      }),
      transient: "hung",
    };
  }
  const found = facts(error);
  const { code, status, requestId } = found;
  if (code !== undefined && TLS_CODES.test(code)) return tlsFailure(operation, code, error);
  if (code !== undefined && UNREACHABLE_CODES.has(code)) return unreachable(operation, code, error);
  const meaning =
    clockSkew(error) ?? unknownYet(error, code) ?? ownMeaning(error, code, own) ?? lookUp(code, status);
  const facets = [code, status, requestId === undefined ? undefined : `request id ${requestId}`];
  const details = facets.filter((facet) => facet !== undefined).join(", ");
  if (meaning === undefined) {
    const shown = details === "" ? "unexpected failure" : `failed (${details})`;
    const hint = "run it with -v to see each step; AWS support knows the request by its id";
    // What is refused and has no name here is not out of reach: another attempt would be refused as well.
    const kind = status !== undefined && status >= 400 ? "config" : "unavailable";
    const told = { hint, cause: error, facts: eventFacts(operation, found) };
    return { error: new SealexecError(kind, `${operation}: ${shown}`, told) };
  }
  return {
    error: new SealexecError(meaning.kind, `${meaning.says} (${operation}: ${details})`, {
      code: meaning.code,
      facts: eventFacts(operation, found),
      hint: meaning.hint,
      cause: error,
    }),
    ...(meaning.transient === undefined ? {} : { transient: meaning.transient }),
  };
}

function eventFacts(operation: string, { code, status, requestId }: Facts): EventFacts {
  return {
    operation,
    ...(code === undefined ? {} : { awsCode: code }),
    ...(status === undefined ? {} : { httpStatus: status }),
    ...(requestId === undefined ? {} : { requestId }),
  };
}

function ownMeaning(error: unknown, code: string | undefined, own?: OwnMeaning): Meaning | undefined {
  if (own === undefined || code === undefined) return undefined;
  return own(code, error instanceof Error ? error.message : "");
}

function lookUp(code: string | undefined, status: number | undefined): Meaning | undefined {
  const known = code === undefined ? undefined : meaningOfCode(code);
  return known ?? (status === undefined ? undefined : meaningOfStatus(status));
}

// "Common errors" of every service, and S3's own.
const CLOCK_SKEW_CODES = new Set(["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"]);

// S3 has a code for it; KMS and STS say InvalidSignatureException or SignatureDoesNotMatch, and why in the message.
export function isClockSkew(error: Error): boolean {
  return CLOCK_SKEW_CODES.has(error.name) || /^Signature (expired|not yet current)/.test(error.message);
}

function clockSkew(error: unknown): Meaning | undefined {
  if (!(error instanceof Error) || !isClockSkew(error)) return undefined;
  const meaning =
    (error as ServiceError).$metadata?.clockSkewCorrected === true ? CLOCK_SKEW_LEARNED : CLOCK_SKEW;
  const seconds = secondsBehind(error);
  return seconds === undefined ? meaning : { ...meaning, says: `${meaning.says}: ${describeSkew(seconds)}` };
}

/** How far this machine's clock is behind AWS's, by the Date of its answer. */
function secondsBehind(error: ServiceError): number | undefined {
  const serverMs = Date.parse(error.$response?.headers?.["date"] ?? "");
  return Number.isNaN(serverMs) ? undefined : Math.round((serverMs - Date.now()) / 1_000);
}

function describeSkew(secondsBehindAws: number): string {
  const seconds = Math.abs(secondsBehindAws);
  const here = new Date().toISOString().slice(0, 19);
  const there = new Date(Date.now() + secondsBehindAws * 1_000).toISOString().slice(0, 19);
  const far = seconds < 120 ? counted(seconds, "second") : `${Math.round(seconds / 60)} minutes`;
  return `${far} ${secondsBehindAws < 0 ? "ahead of" : "behind"} AWS's (${here}Z here, ${there}Z there)`;
}

// What the services say of an access key that IAM has not told them of yet.
const UNKNOWN_KEY_CODES = new Set([
  "InvalidAccessKeyId",
  "InvalidClientTokenId",
  "UnrecognizedClientException",
  "SignatureDoesNotMatch",
]);

/** Whether a code says that the access key, or its secret, is not known. */
export function isUnknownKey(code: string | undefined): boolean {
  return code !== undefined && UNKNOWN_KEY_CODES.has(code);
}

function unknownYet(error: unknown, code: string | undefined): Meaning | undefined {
  const unsettled = (error as ServiceError | undefined)?.$metadata?.unsettled === true;
  return unsettled && isUnknownKey(code) ? UNKNOWN_YET : undefined;
}

function unreachable(operation: string, code: string, error: unknown): Failure {
  const nameless = code === "ENOTFOUND" || code.startsWith("EAI_");
  const says = nameless
    ? `${hostOf(error)}the host name does not resolve`
    : `${addressOf(error)}cannot be reached`;
  return {
    error: new SealexecError("unavailable", `${operation}: ${says} (${code})`, {
      code: nameless ? "name-not-resolved" : "unreachable",
      facts: { operation, systemCode: code },
      hint: "check the endpoint, the network (DNS, route, security group, VPC endpoint); proxies are not used",
      cause: error,
    }),
    transient: "unreachable",
  };
}

function tlsFailure(operation: string, code: string, error: unknown): Failure {
  return {
    error: new SealexecError(
      "unavailable",
      `${operation}: ${hostOf(error)}its TLS certificate is not trusted (${code})`,
      {
        code: "tls-untrusted",
        facts: { operation, systemCode: code },
        hint: tlsHint(code),
        cause: error,
      },
    ),
  };
}

function tlsHint(code: string): string {
  if (/ALTNAME|HOSTNAME/.test(code)) return "check the endpoint's host: the certificate is for another";
  if (code === "EPROTO") return "check that the endpoint speaks TLS: its URL says https";
  if (/EXPIRED|NOT_YET_VALID/.test(code)) return "renew the certificate, or set this machine's clock (NTP)";
  return "if the CA is your own, name its PEM file in AWS_CA_BUNDLE";
}

function hostOf(error: unknown): string {
  const { hostname, host, address } = error as { hostname?: unknown; host?: unknown; address?: unknown };
  const name = [hostname, host, address].find((value) => typeof value === "string");
  return name === undefined ? "" : `${printable(String(name))}: `;
}

/** `HOST:PORT: ` */
function addressOf(error: unknown): string {
  const { port } = error as { port?: unknown };
  const host = hostOf(error);
  if (host === "" || typeof port !== "number") return host;
  const name = host.slice(0, -": ".length);
  return `${name.includes(":") ? `[${name}]` : name}:${port}: `;
}

export interface Facts {
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
}

// A code is an identifier by AWS's rules; anything else in its place is a stranger's text and is not shown.
const NAMELESS = new Set(["Error", "Unknown", "UnknownError"]);
const IDENTIFIER = /^[A-Za-z0-9_.-]{1,64}$/;

/** Code, HTTP status and request id of an error of the SDK or of Node, as far as they are there and are plain. */
export function facts(error: unknown): Facts {
  if (typeof error !== "object" || error === null)
    return { code: undefined, status: undefined, requestId: undefined };
  const { name, code, Code, $metadata } = error as ServiceError;
  const status = $metadata?.httpStatusCode;
  const candidates = [Code, code, name];
  const found = candidates.find(
    (c): c is string => typeof c === "string" && IDENTIFIER.test(c) && !NAMELESS.has(c),
  );
  const requestId = $metadata?.requestId;
  return {
    code: found,
    status,
    requestId: requestId !== undefined && IDENTIFIER.test(requestId) ? requestId : undefined,
  };
}
