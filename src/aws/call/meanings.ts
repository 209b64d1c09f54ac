/** What AWS's error codes mean to us. Sources: Amazon S3 API Reference, "Error responses"; */
// AWS KMS API Reference, the errors of each operation; "Common errors" of every service.
import { UNREADABLE } from "../../http/failure.ts";
import type { Meaning } from "../../http/failure.ts";

const REFUSED: Meaning = {
  kind: "denied",
  code: "credentials-refused",
  says: "the credentials were refused",
  hint: "check which role the credentials belong to: sealexec check",
};
const TOKEN_REFUSED: Meaning = {
  ...REFUSED,
  code: "web-identity-refused",
  says: "the web identity token was refused",
};
const KEY_UNKNOWN: Meaning = {
  ...REFUSED,
  says: "the credentials were refused: AWS does not know the access key",
  hint: "check AWS_ACCESS_KEY_ID or the profile: the key was deleted, made inactive, or is of another partition; sealexec check shows where it comes from",
};
const SECRET_WRONG: Meaning = {
  ...REFUSED,
  says: "the credentials were refused: the secret access key does not belong to the access key",
  hint: "copy AWS_SECRET_ACCESS_KEY or the profile's again, whole; sealexec check shows where it comes from",
};
const SESSION_TOKEN_WRONG: Meaning = {
  ...REFUSED,
  says: "the credentials were refused: the session token is not valid",
  hint: "AWS_SESSION_TOKEN must be of the same session as AWS_ACCESS_KEY_ID; a user's own key has none: unset it",
};
const EXPIRED: Meaning = {
  kind: "denied",
  code: "credentials-expired",
  says: "the credentials have expired",
  hint: "get new ones: aws sso login, or a fresh AWS_SESSION_TOKEN; a metadata service that hands out expired ones must be mended",
};
const FORBIDDEN: Meaning = {
  kind: "denied",
  code: "access-denied",
  says: "access denied",
  hint: "the role's policies must allow this operation: sealexec check shows the role",
};
const THROTTLED: Meaning = {
  kind: "timeout",
  code: "throttled",
  says: "still throttled when the time was over",
  hint: "raise --timeout (SEALEXEC_TIMEOUT), or start fewer at once, or ask for a higher quota",
  transient: "throttled",
};
const FAILING: Meaning = {
  kind: "unavailable",
  code: "service-failing",
  says: "the service kept failing",
  hint: "the fault is the service's own (AWS: health.aws.amazon.com); raise --timeout (SEALEXEC_TIMEOUT) to wait longer",
  transient: "failing",
};
// S3's redirects are followed where they name the region; this is left of those that do not, or that go in a circle.
const ELSEWHERE: Meaning = {
  kind: "config",
  code: "bucket-elsewhere",
  says: "the bucket is in another region, and S3 does not say in which",
  hint: "name it in the URI: s3://BUCKET/KEY?region=REGION",
};
export const CLOCK_SKEW: Meaning = {
  kind: "config",
  code: "clock-skew",
  says: "this machine's clock is too far off",
  hint: "set the clock (timedatectl set-ntp true, or the host's own NTP)",
};
// The SDK has learned the clock's offset from the answer, and the next attempt is signed with it.
export const CLOCK_SKEW_LEARNED: Meaning = { ...CLOCK_SKEW, transient: "failing" };
// IAM User Guide, "Changes that I make are not always immediately visible": a new access key takes seconds to be known.
export const UNKNOWN_YET: Meaning = {
  ...REFUSED,
  code: "credentials-unknown-yet",
  says: "AWS does not know the new key yet",
  hint: "raise --timeout (SEALEXEC_TIMEOUT), or use vault:MOUNT/sts/ROLE, whose sessions are good at once",
  transient: "failing",
};
const CONFLICT = {
  kind: "conflict",
  code: "conflict",
  hint: "look at what is there (sealexec pull), then try again",
} as const;
const MISSING_HINT = "check the URI, or put it there first: sealexec push FILE URI --key KEY";
const NO_SUCH_OBJECT: Meaning = {
  kind: "missing",
  code: "no-such-object",
  says: "no such object",
  hint: MISSING_HINT,
};

/** Those that say the same. */
const SYNONYMS: readonly (readonly [Meaning, codes: string])[] = [
  [KEY_UNKNOWN, "InvalidAccessKeyId InvalidClientTokenId UnrecognizedClientException"],
  [SECRET_WRONG, "SignatureDoesNotMatch InvalidSignatureException"],
  [SESSION_TOKEN_WRONG, "InvalidToken"],
  [REFUSED, "IncompleteSignature MissingAuthenticationToken InvalidGrantTokenException"],
  [TOKEN_REFUSED, "InvalidIdentityToken InvalidIdentityTokenException IDPRejectedClaim"],
  [EXPIRED, "ExpiredToken ExpiredTokenException TokenRefreshRequired"],
  [
    ELSEWHERE,
    "PermanentRedirect TemporaryRedirect AuthorizationHeaderMalformed IllegalLocationConstraintException",
  ],
  [FORBIDDEN, "AccessDenied"],
  [NO_SUCH_OBJECT, "NoSuchKey NotFound"],
  [UNREADABLE, "InvalidHttpAnswer"],
  [
    THROTTLED,
    `SlowDown Throttling ThrottlingException ThrottledException RequestThrottled
    RequestThrottledException TooManyRequestsException LimitExceededException RequestLimitExceeded
    BandwidthLimitExceeded EC2ThrottledException PriorRequestNotComplete`,
  ],
  [
    FAILING,
    `KeyUnavailableException KMSInternalException DependencyTimeoutException InternalError
    InternalFailure InternalServerError InternalServiceError ServiceUnavailable
    ServiceUnavailableException IDPCommunicationError RequestTimeout RequestTimeoutException`,
  ],
];

const BY_CODE: Readonly<Record<string, Meaning>> = {
  ...Object.fromEntries(
    SYNONYMS.flatMap(([meaning, codes]) => codes.split(/\s+/).map((code) => [code, meaning])),
  ),
  NoSuchVersion: {
    kind: "missing",
    code: "no-such-version",
    says: "no such version",
    hint: "check versionId, or leave it out for the newest",
  },
  NoSuchBucket: {
    kind: "missing",
    code: "no-such-bucket",
    says: "no such bucket",
    hint: "check the bucket's name and the account",
  },
  MethodNotAllowed: {
    kind: "missing",
    code: "delete-marker",
    says: "this version is a delete marker",
    hint: MISSING_HINT,
  },
  InvalidObjectState: {
    kind: "config",
    code: "object-archived",
    says: "the object is archived",
    hint: "restore it, or seal again",
  },
  MetadataTooLarge: {
    kind: "data",
    code: "metadata-too-large",
    says: "its metadata is larger than S3 takes",
    hint: "shorten --context: S3 takes 2 KB of metadata, the wrapped key among them",
  },
  PreconditionFailed: { ...CONFLICT, says: "the object was changed by somebody else" },
  ConditionalRequestConflict: { ...CONFLICT, says: "the object is being changed by somebody else" },
  // KMS
  AccessDeniedException: {
    kind: "denied",
    code: "key-denied",
    says: "KMS denies the use of this key to these credentials",
    hint: "the role's policy and the key's policy must both allow it: sealexec check shows the role",
  },
  IncorrectKeyException: {
    kind: "denied",
    code: "wrong-key",
    says: "it is sealed under another key than the configured one",
    hint: "name the right key with --key (SEALEXEC_KEY), or seal again under this one",
  },
  DisabledException: {
    kind: "config",
    code: "key-disabled",
    says: "the KMS key is disabled",
    hint: "enable the key (aws kms enable-key), or seal again under another",
  },
  KMSInvalidStateException: {
    kind: "config",
    code: "key-unusable",
    says: "the KMS key cannot be used in its state (pending deletion, pending import)",
    hint: "cancel its deletion (aws kms cancel-key-deletion) and enable it, or seal again under another",
  },
  NotFoundException: {
    kind: "config",
    code: "no-such-key",
    says: "no such KMS key in this account and region",
    hint: "check --key (SEALEXEC_KEY) and the region",
  },
  InvalidCiphertextException: {
    kind: "data",
    code: "wrapped-key-changed",
    says: "KMS cannot open the wrapped data key: it was changed, or its encryption context was",
    hint: "seal the file again: sealexec push",
  },
  InvalidKeyUsageException: {
    kind: "config",
    code: "key-not-for-encryption",
    says: "the KMS key is not for encryption",
    hint: "use a symmetric key",
  },
};

/** What an error's code means; undefined for one that is not in the table. */
export function meaningOfCode(code: string): Meaning | undefined {
  return Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
}

/** What an HTTP status means where there is no code that does. */
export function meaningOfStatus(status: number): Meaning | undefined {
  if (status === 429) return THROTTLED;
  if (status >= 500) return FAILING;
  if (status === 403) return FORBIDDEN;
  if (status === 404)
    return { kind: "missing", code: "not-there", says: "not there", hint: "check the endpoint and the URI" };
  if (status < 300) return UNREADABLE;
  return undefined;
}
