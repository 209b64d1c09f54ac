/**
 * What an error of the AWS SDK means to us: the kind, the message, and whether another attempt can help.
 * Tables, not logic: S3's codes are from "Amazon S3 API Reference, Error responses", KMS's from the errors of
 * each operation in the "AWS KMS API Reference", the others from "Common errors".
 */
import type { ErrorKind } from "../errors.ts";
import { SealexecError } from "../errors.ts";
import { printable } from "../logger.ts";
import { AttemptTimeout } from "./retry.ts";
import type { Transient } from "./retry.ts";

export interface Failure {
  readonly error: SealexecError;
  /** absent: another attempt would end the same way */
  readonly transient?: Transient;
}

/** The fields that an error of the SDK may have. */
interface ServiceError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly Code?: unknown;
  readonly $metadata?: {
    readonly httpStatusCode?: number;
    readonly requestId?: string;
    readonly clockSkewCorrected?: boolean;
  };
  readonly $response?: { readonly headers?: Record<string, string> };
}

interface Meaning {
  readonly kind: ErrorKind;
  readonly says: string;
  readonly hint?: string;
  readonly transient?: Transient;
}

const REFUSED: Meaning = {
  kind: "denied",
  says: "the credentials were refused",
  hint: "check which role the credentials belong to: sealexec check",
};
const EXPIRED: Meaning = {
  kind: "denied",
  says: "the credentials have expired",
  hint: "get new ones; from a metadata service, this means that it hands out expired credentials",
};
const FORBIDDEN: Meaning = {
  kind: "denied",
  says: "access denied",
  hint: "the role's policies must allow this operation: sealexec check shows the role",
};
const THROTTLED: Meaning = {
  kind: "timeout",
  says: "still throttled when the time was over",
  hint: "raise --timeout (SEALEXEC_TIMEOUT), or start fewer at once, or ask for a higher quota",
  transient: "throttled",
};
const FAILING: Meaning = {
  kind: "unavailable",
  says: "the service kept failing",
  hint: "the fault is the service's own (AWS: health.aws.amazon.com); raise --timeout (SEALEXEC_TIMEOUT) to wait longer",
  transient: "failing",
};
const UNREADABLE: Meaning = {
  kind: "unavailable",
  says: "the answer is not the service's",
  hint: "check the endpoint, and what stands between here and there: a proxy, a captive portal",
  transient: "failing",
};
// S3's redirects are followed where they name the region; this is left of those that do not, or that go in a circle.
const ELSEWHERE: Meaning = {
  kind: "config",
  says: "the bucket is in another region, and S3 does not say in which",
  hint: "name it in the URI: s3://BUCKET/KEY?region=REGION",
};
const CLOCK_SKEW: Meaning = {
  kind: "config",
  says: "this machine's clock is too far off",
  hint: "set the clock (NTP)",
};
// The SDK has learned the clock's offset from the answer, and the next attempt is signed with it.
const CLOCK_SKEW_LEARNED: Meaning = { ...CLOCK_SKEW, transient: "failing" };
const CHANGED_HINT = "look at what is there (sealexec pull), then try again";
const MISSING_HINT = "check the URI, or put it there first: sealexec push FILE URI --key KEY";
const DISABLED_HINT = "enable the key (aws kms enable-key), or seal again under another";

const MEANINGS: Readonly<Record<string, Meaning>> = {
  // credentials
  InvalidAccessKeyId: REFUSED,
  SignatureDoesNotMatch: REFUSED,
  InvalidSignatureException: REFUSED,
  InvalidToken: REFUSED,
  InvalidClientTokenId: REFUSED,
  UnrecognizedClientException: REFUSED,
  IncompleteSignature: REFUSED,
  MissingAuthenticationToken: REFUSED,
  InvalidIdentityToken: { ...REFUSED, says: "the web identity token was refused" },
  InvalidIdentityTokenException: { ...REFUSED, says: "the web identity token was refused" },
  IDPRejectedClaim: { ...REFUSED, says: "the web identity token was refused" },
  ExpiredToken: EXPIRED,
  ExpiredTokenException: EXPIRED,
  TokenRefreshRequired: EXPIRED,
  RequestExpired: EXPIRED,
  // S3
  AccessDenied: FORBIDDEN,
  NoSuchKey: { kind: "missing", says: "no such object", hint: MISSING_HINT },
  NotFound: { kind: "missing", says: "no such object", hint: MISSING_HINT },
  NoSuchVersion: {
    kind: "missing",
    says: "no such version",
    hint: "check versionId, or leave it out for the newest",
  },
  NoSuchBucket: { kind: "missing", says: "no such bucket", hint: "check the bucket's name and the account" },
  MethodNotAllowed: { kind: "missing", says: "this version is a delete marker", hint: MISSING_HINT },
  PermanentRedirect: ELSEWHERE,
  TemporaryRedirect: ELSEWHERE,
  AuthorizationHeaderMalformed: ELSEWHERE,
  IllegalLocationConstraintException: ELSEWHERE,
  InvalidObjectState: { kind: "config", says: "the object is archived", hint: "restore it, or seal again" },
  MetadataTooLarge: {
    kind: "data",
    says: "its metadata is larger than S3 takes",
    hint: "shorten --context: S3 takes 2 KB of metadata, the wrapped key among them",
  },
  PreconditionFailed: { kind: "data", says: "the object was changed by somebody else", hint: CHANGED_HINT },
  ConditionalRequestConflict: {
    kind: "data",
    says: "the object is being changed by somebody else",
    hint: CHANGED_HINT,
  },
  // KMS
  AccessDeniedException: {
    kind: "denied",
    says: "KMS denies the use of this key to these credentials",
    hint: "the role's policy and the key's policy must both allow it: sealexec check shows the role",
  },
  IncorrectKeyException: {
    kind: "denied",
    says: "it is sealed under another key than the configured one",
    hint: "name the right key with --key (SEALEXEC_KEY), or seal again under this one",
  },
  DisabledException: { kind: "config", says: "the KMS key is disabled", hint: DISABLED_HINT },
  KMSInvalidStateException: {
    kind: "config",
    says: "the KMS key cannot be used in its state (pending deletion, pending import)",
    hint: "cancel its deletion (aws kms cancel-key-deletion) and enable it, or seal again under another",
  },
  NotFoundException: {
    kind: "config",
    says: "no such KMS key in this account and region",
    hint: "check --key (SEALEXEC_KEY) and the region",
  },
  InvalidCiphertextException: {
    kind: "data",
    says: "KMS cannot open the wrapped data key: it was changed, or its encryption context was",
    hint: "seal the file again: sealexec push",
  },
  InvalidKeyUsageException: {
    kind: "config",
    says: "the KMS key is not for encryption",
    hint: "use a symmetric key",
  },
  InvalidGrantTokenException: REFUSED,
  KeyUnavailableException: FAILING,
  KMSInternalException: FAILING,
  DependencyTimeoutException: FAILING,
  // both
  SlowDown: THROTTLED,
  Throttling: THROTTLED,
  ThrottlingException: THROTTLED,
  ThrottledException: THROTTLED,
  RequestThrottled: THROTTLED,
  RequestThrottledException: THROTTLED,
  TooManyRequestsException: THROTTLED,
  LimitExceededException: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  BandwidthLimitExceeded: THROTTLED,
  EC2ThrottledException: THROTTLED,
  PriorRequestNotComplete: THROTTLED,
  InternalError: FAILING,
  InternalFailure: FAILING,
  ServiceUnavailable: FAILING,
  ServiceUnavailableException: FAILING,
  IDPCommunicationError: FAILING,
  RequestTimeout: FAILING,
  RequestTimeoutException: FAILING,
};

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
  /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED|HOSTNAME_MISMATCH|EPROTO$|INVALID_CA$|PATH_LENGTH_EXCEEDED$)/;

/** Classifies what `operation` (for messages: `GetObject`, `Decrypt`) threw. */
export function classify(operation: string, error: unknown): Failure {
  if (error instanceof SealexecError) return { error };
  if (error instanceof AttemptTimeout) {
    return {
      error: new SealexecError("timeout", `${operation}: no answer in time`, {
        hint: "the service is connected but silent or very slow; raise --timeout (SEALEXEC_TIMEOUT) if it is only slow",
        cause: error,
      }),
      transient: "hung",
    };
  }
  const { code, status, requestId } = facts(error);
  if (code !== undefined && TLS_CODES.test(code)) return tlsFailure(operation, code, error);
  if (code !== undefined && UNREACHABLE_CODES.has(code)) return unreachable(operation, code, error);
  const meaning = clockSkew(error) ?? (code === undefined ? undefined : MEANINGS[code]) ?? byStatus(status);
  const facets = [code, status, requestId === undefined ? undefined : `request id ${requestId}`];
  const details = facets.filter((facet) => facet !== undefined).join(", ");
  if (meaning === undefined) {
    const shown = details === "" ? "unexpected failure" : `failed (${details})`;
    const hint = "run it with -v to see each step; AWS support knows the request by its id";
    // What is refused and has no name here is not out of reach: another attempt would be refused as well.
    const kind = status !== undefined && status >= 400 ? "config" : "unavailable";
    return { error: new SealexecError(kind, `${operation}: ${shown}`, { hint, cause: error }) };
  }
  return {
    error: new SealexecError(meaning.kind, `${meaning.says} (${operation}: ${details})`, {
      hint: meaning.hint,
      cause: error,
    }),
    ...(meaning.transient === undefined ? {} : { transient: meaning.transient }),
  };
}

// S3 has a code for it; KMS and STS say InvalidSignatureException or SignatureDoesNotMatch, and why in the message.
function clockSkew(error: unknown): Meaning | undefined {
  if (!(error instanceof Error)) return undefined;
  const skewed =
    error.name === "RequestTimeTooSkewed" || /^Signature (expired|not yet current)/.test(error.message);
  if (!skewed) return undefined;
  return (error as ServiceError).$metadata?.clockSkewCorrected === true ? CLOCK_SKEW_LEARNED : CLOCK_SKEW;
}

function byStatus(status: number | undefined): Meaning | undefined {
  if (status === undefined) return undefined;
  if (status === 429) return THROTTLED;
  if (status >= 500) return FAILING;
  if (status === 403) return FORBIDDEN;
  if (status === 404) return { kind: "missing", says: "not there", hint: "check the endpoint and the URI" };
  if (status < 300) return UNREADABLE;
  return undefined;
}

function unreachable(operation: string, code: string, error: unknown): Failure {
  const says =
    code === "ENOTFOUND" || code.startsWith("EAI_") ? "the host name does not resolve" : "cannot be reached";
  return {
    error: new SealexecError("unavailable", `${operation}: ${hostOf(error)}${says} (${code})`, {
      hint: "check the endpoint, the network, its proxy-free route and the security group or VPC endpoint",
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
        hint: "if the CA is your own, name its PEM file in AWS_CA_BUNDLE",
        cause: error,
      },
    ),
  };
}

function hostOf(error: unknown): string {
  const { hostname, host, address } = error as { hostname?: unknown; host?: unknown; address?: unknown };
  const name = [hostname, host, address].find((value) => typeof value === "string");
  return name === undefined ? "" : `${printable(String(name))}: `;
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
