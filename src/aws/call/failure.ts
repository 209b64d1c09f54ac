/** What a refusal of AWS means to us, of the direct way or of the SDK. The table of codes is in meanings.ts. */
import { defined } from "../../base/defined.ts";
import { counted } from "../../base/logger.ts";
import { failureOf, networkFailure, plain, unexpected } from "../../http/failure.ts";
import type { Failure, Meaning } from "../../http/failure.ts";
import { CLOCK_SKEW, CLOCK_SKEW_LEARNED, UNKNOWN_YET, meaningOfCode, meaningOfStatus } from "./meanings.ts";

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

/** How a service differs from meanings.ts. `message`, AWS's words, tells meanings apart and is never shown */
export type OwnMeaning = (code: string, message: string) => Meaning | undefined;

/** Classifies what `operation` (for messages: `GetObject`, `Decrypt`) threw. */
export function classify(operation: string, error: unknown, own?: OwnMeaning): Failure {
  const ofNetwork = networkFailure(operation, error, "AWS_CA_BUNDLE");
  if (ofNetwork !== undefined) return ofNetwork;
  const { code, status, requestId } = facts(error);
  const facets = [code, status, requestId === undefined ? undefined : `request id ${requestId}`];
  const details = facets.filter((facet) => facet !== undefined).join(", ");
  const named = defined({ awsCode: code, httpStatus: status, requestId });
  const told = { facts: { operation, ...named }, cause: error };
  const meaning =
    clockSkew(error) ?? unknownYet(error, code) ?? ownMeaning(error, code, own) ?? lookUp(code, status);
  if (meaning === undefined) return unexpected(operation, details, (status ?? 0) >= 400, told);
  return failureOf(meaning, { detail: `${operation}: ${details}`, ...told });
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
const UNKNOWN_KEY_CODES = new Set(
  "InvalidAccessKeyId InvalidClientTokenId UnrecognizedClientException SignatureDoesNotMatch".split(" "),
);

/** Whether a code says that the access key, or its secret, is not known. */
export function isUnknownKey(code: string | undefined): boolean {
  return code !== undefined && UNKNOWN_KEY_CODES.has(code);
}

function unknownYet(error: unknown, code: string | undefined): Meaning | undefined {
  const unsettled = (error as ServiceError | undefined)?.$metadata?.unsettled === true;
  return unsettled && isUnknownKey(code) ? UNKNOWN_YET : undefined;
}

export interface Facts {
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
}

const NAMELESS = new Set(["Error", "Unknown", "UnknownError"]);

/** Code, HTTP status and request id of an error of the SDK or of Node, as far as they are there and are plain. */
export function facts(error: unknown): Facts {
  if (typeof error !== "object" || error === null)
    return { code: undefined, status: undefined, requestId: undefined };
  const { name, code, Code, $metadata } = error as ServiceError;
  const status = $metadata?.httpStatusCode;
  const found = [Code, code, name].map(plain).find((c) => c !== undefined && !NAMELESS.has(c));
  return { code: found, status, requestId: plain($metadata?.requestId) };
}
