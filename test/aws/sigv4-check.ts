/**
 * Who signed this request, and rightly? The checks and their answers are those of "Troubleshoot Signature
 * Version 4 signing" (AWS IAM User Guide, reference_sigv-troubleshooting), "Common Errors" of KMS and STS, and
 * "Error responses" of the S3 API Reference.
 */
import { timingSafeEqual } from "node:crypto";
import { ServiceError } from "./http.ts";
import type { Clock, Request } from "./http.ts";
import type { Credentials, IdentityStore } from "./identity.ts";
import { canonicalRequest, parseAuthorization, sha256, signature, stringToSign } from "./sigv4.ts";
import type { Authorization } from "./sigv4.ts";
import {
  badDate,
  basicTimestamp,
  codes,
  expired,
  MAX_SKEW_MS,
  missing,
  skewed,
  unknownKey,
  wrongScope,
  wrongSignature,
  wrongToken,
} from "./sigv4-errors.ts";
import type { Dialect } from "./sigv4-errors.ts";

export interface Signer {
  readonly credentials: Credentials;
  /** of the credential scope; the caller knows which are right */
  readonly region: string;
}

/** Streaming payload markers that are accepted in place of a hash ("x-amz-content-sha256" in the S3 API Reference). */
const UNHASHED = new Set(["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"]);

export class SignatureCheck {
  readonly #identities: IdentityStore;
  readonly #clock: Clock;

  constructor(identities: IdentityStore, clock: Clock) {
    this.#identities = identities;
    this.#clock = clock;
  }

  /** @throws ServiceError in the words of the dialect */
  verify(request: Request, service: string, dialect: Dialect): Signer {
    const authorization = readAuthorization(request, dialect);
    checkSignedHeaders(request, authorization, dialect);
    const credentials = this.#credentials(request, authorization, dialect);
    const timestamp = this.#timestamp(request, authorization, dialect);
    if (authorization.scope.service !== service) throw wrongScope(dialect, "service", service);
    checkSignature(request, authorization, { credentials, timestamp, dialect });
    return { credentials, region: authorization.scope.region };
  }

  #credentials(request: Request, authorization: Authorization, dialect: Dialect): Credentials {
    const credentials = this.#identities.find(authorization.accessKeyId);
    if (credentials === undefined) throw unknownKey(dialect, authorization.accessKeyId);
    const token = request.headers.get("x-amz-security-token");
    if (token !== credentials.sessionToken) throw wrongToken(dialect);
    if (this.#identities.isExpired(credentials)) throw expired(dialect);
    return credentials;
  }

  /** The ISO basic timestamp that was signed, within 15 minutes of now and on the day of the scope. */
  #timestamp(request: Request, authorization: Authorization, dialect: Dialect): string {
    const timestamp = request.headers.get("x-amz-date") ?? basicTimestamp(request.headers.get("date"));
    const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u.exec(timestamp ?? "");
    if (timestamp === undefined || match === null) throw badDate(dialect);
    const [, y, mo, d, h, mi, s] = match;
    const time = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
    const now = this.#clock.now();
    if (Number.isNaN(time)) throw badDate(dialect);
    if (Math.abs(time - now) > MAX_SKEW_MS) throw skewed(dialect, { timestamp, time, now });
    if (!timestamp.startsWith(authorization.scope.date))
      throw wrongScope(dialect, "date", timestamp.slice(0, 8));
    return timestamp;
  }
}

function readAuthorization(request: Request, dialect: Dialect): Authorization {
  const header = request.headers.get("authorization");
  if (header === undefined) throw missing(dialect);
  const authorization = parseAuthorization(header);
  if (authorization !== undefined) return authorization;
  if (dialect === "s3")
    throw new ServiceError(400, "AuthorizationHeaderMalformed", "The authorization header is malformed.");
  throw new ServiceError(
    dialect === "json" ? 400 : 403,
    dialect === "json" ? "IncompleteSignatureException" : "IncompleteSignature",
    "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters.",
  );
}

/** host and every x-amz-* header must be among the signed ones ("SignedHeaders" in sig-v4-header-based-auth). */
function checkSignedHeaders(request: Request, authorization: Authorization, dialect: Dialect): void {
  const signed = new Set(authorization.signedHeaders);
  const must = [...request.headers.keys()].filter((name) => name === "host" || name.startsWith("x-amz-"));
  const unsigned = must.filter((name) => !signed.has(name));
  if (unsigned.length === 0) return;
  if (dialect === "s3")
    throw new ServiceError(
      403,
      "AccessDenied",
      "There were headers present in the request which were not signed",
      {
        fields: { HeadersNotSigned: unsigned.join(", ") },
      },
    );
  throw new ServiceError(
    ...codes(dialect, "InvalidSignatureException", "SignatureDoesNotMatch"),
    `'${unsigned[0]}' must be a 'SignedHeader' in the AWS Authorization.`,
  );
}

function checkSignature(
  request: Request,
  authorization: Authorization,
  by: { credentials: Credentials; timestamp: string; dialect: Dialect },
): void {
  const { dialect } = by;
  const bodyHash = sha256(request.body);
  const declared = request.headers.get("x-amz-content-sha256");
  if (dialect === "s3" && declared === undefined)
    throw new ServiceError(
      400,
      "InvalidRequest",
      "Missing required header for this request: x-amz-content-sha256",
    );
  const payload = dialect === "s3" ? (declared ?? bodyHash) : bodyHash;
  const canonical = canonicalRequest(request, authorization.signedHeaders, payload, dialect === "s3");
  const text = stringToSign(by.timestamp, authorization.scope, canonical);
  const right = signature(by.credentials.secretAccessKey, authorization.scope, text);
  if (!sameText(right, authorization.signature)) throw wrongSignature(dialect, { text, canonical });
  if (dialect === "s3") checkPayload(payload, bodyHash);
}

function checkPayload(declared: string, bodyHash: string): void {
  if (UNHASHED.has(declared)) return;
  if (declared.startsWith("STREAMING-"))
    throw new ServiceError(
      501,
      "NotImplemented",
      "A header you provided implies functionality that is not implemented.",
      {
        fields: { Header: "x-amz-content-sha256", AdditionalMessage: declared },
      },
    );
  if (declared === bodyHash) return;
  throw new ServiceError(
    400,
    "XAmzContentSHA256Mismatch",
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    { fields: { ClientComputedContentSHA256: declared, S3ComputedContentSHA256: bodyHash } },
  );
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
