/** Refused signatures, in the words of each protocol; see sigv4-check.ts for where they are documented. */
import { Clock, ServiceError } from "./http.ts";

/** The protocols say the same failures by different names. */
export type Dialect = "s3" | "json" | "query";

/** "A request must reach AWS within the time specified" (15 minutes). */
export const MAX_SKEW_MS = 15 * 60 * 1000;

/** "Sun, 06 Nov 1994 08:49:37 GMT" → 19941106T084937Z; the Date header stands in where x-amz-date is missing. */
export function basicTimestamp(date: string | undefined): string | undefined {
  const time = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().replaceAll(/[-:]|\.\d{3}/gu, "");
}

/** [status, code]: JSON services answer 400, query services 403. */
export function codes(dialect: Dialect, json: string, query: string): [number, string] {
  return dialect === "json" ? [400, json] : [403, query];
}

export function missing(dialect: Dialect): ServiceError {
  if (dialect === "s3") return new ServiceError(403, "AccessDenied", "Access Denied");
  return new ServiceError(
    ...codes(dialect, "MissingAuthenticationTokenException", "MissingAuthenticationToken"),
    dialect === "json" ? "Missing Authentication Token" : "Request is missing Authentication Token",
  );
}

export function unknownKey(dialect: Dialect, accessKeyId: string): ServiceError {
  if (dialect !== "s3") return invalidToken(dialect);
  return new ServiceError(
    403,
    "InvalidAccessKeyId",
    "The AWS Access Key Id you provided does not exist in our records.",
    { fields: { AWSAccessKeyId: accessKeyId } },
  );
}

export function wrongToken(dialect: Dialect): ServiceError {
  if (dialect !== "s3") return invalidToken(dialect);
  return new ServiceError(400, "InvalidToken", "The provided token is malformed or otherwise invalid.");
}

function invalidToken(dialect: Dialect): ServiceError {
  return new ServiceError(
    ...codes(dialect, "UnrecognizedClientException", "InvalidClientTokenId"),
    "The security token included in the request is invalid.",
  );
}

export function expired(dialect: Dialect): ServiceError {
  if (dialect === "s3") return new ServiceError(400, "ExpiredToken", "The provided token has expired.");
  return new ServiceError(
    ...codes(dialect, "ExpiredTokenException", "ExpiredToken"),
    "The security token included in the request is expired",
  );
}

export function badDate(dialect: Dialect): ServiceError {
  if (dialect === "s3")
    return new ServiceError(
      403,
      "AccessDenied",
      "AWS authentication requires a valid Date or x-amz-date header",
    );
  return new ServiceError(
    dialect === "json" ? 400 : 403,
    dialect === "json" ? "IncompleteSignatureException" : "IncompleteSignature",
    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
  );
}

export function skewed(dialect: Dialect, at: { timestamp: string; time: number; now: number }): ServiceError {
  if (dialect === "s3")
    return new ServiceError(
      403,
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
      {
        fields: {
          RequestTime: at.timestamp,
          ServerTime: Clock.seconds(at.now),
          MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
        },
      },
    );
  const now = basicTimestamp(new Date(at.now).toUTCString());
  const limit = basicTimestamp(new Date(at.now - Math.sign(at.now - at.time) * MAX_SKEW_MS).toUTCString());
  const [word, relation] = at.time < at.now ? ["expired", "earlier"] : ["not yet current", "later"];
  const minutes = at.time < at.now ? "- 15 min." : "+ 15 min.";
  return new ServiceError(
    ...codes(dialect, "InvalidSignatureException", "SignatureDoesNotMatch"),
    `Signature ${word}: ${at.timestamp} is now ${relation} than ${limit} (${now} ${minutes})`,
  );
}

export function wrongScope(
  dialect: Dialect,
  part: "service" | "date" | "region",
  expected: string,
): ServiceError {
  if (dialect === "s3")
    return new ServiceError(
      400,
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; the ${part} in the credential scope is wrong; expecting '${expected}'`,
      { fields: part === "region" ? { Region: expected } : {} },
    );
  const what = part === "region" ? "a valid region" : `correct ${part}: '${expected}'`;
  return new ServiceError(
    ...codes(dialect, "InvalidSignatureException", "SignatureDoesNotMatch"),
    `Credential should be scoped to ${what}.`,
  );
}

export function wrongSignature(dialect: Dialect, made: { text: string; canonical: string }): ServiceError {
  if (dialect === "s3")
    return new ServiceError(
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      { fields: { StringToSign: made.text, CanonicalRequest: made.canonical } },
    );
  return new ServiceError(
    ...codes(dialect, "InvalidSignatureException", "SignatureDoesNotMatch"),
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  );
}
