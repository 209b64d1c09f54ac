import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { classify, facts } from "../../../../src/aws/call/failure.ts";
import type { Meaning } from "../../../../src/http/failure.ts";
import type { Transient } from "../../../../src/http/failure.ts";
import { AttemptTimeout } from "../../../../src/http/failure.ts";
import { SealexecError } from "../../../../src/base/errors.ts";
import type { ErrorKind } from "../../../../src/base/errors.ts";

/** As the SDK throws it. */
function serviceError(name: string, status: number, more: Record<string, unknown> = {}): Error {
  return Object.assign(new Error("a stranger's text: canary"), {
    name,
    $metadata: { httpStatusCode: status, requestId: "REQ-1" },
    ...more,
  });
}

function systemError(code: string, more: Record<string, unknown> = {}): Error {
  return Object.assign(new Error("canary"), { code, ...more });
}

const CODES: readonly (readonly [string, number, ErrorKind, boolean])[] = [
  // Only the status is known.
  ["SomethingNew", 403, "denied", false],
  ["SomethingNew", 404, "missing", false],
  ["SomethingNew", 429, "timeout", true],
  ["SomethingNew", 500, "unavailable", true],
  ["SomethingNew", 502, "unavailable", true],
  ["SomethingNew", 599, "unavailable", true],
  // A success that is not what the service says.
  ["SomethingNew", 206, "unavailable", true],
  ["SomethingNew", 299, "unavailable", true],
];

/** What a code means: the kind, the code for machines, and how long another attempt is waited for; the codes of AWS. */
const MEANINGS: readonly (readonly [ErrorKind, string, Transient | undefined, string])[] = [
  [
    "denied",
    "credentials-refused",
    undefined,
    "InvalidAccessKeyId SignatureDoesNotMatch InvalidSignatureException InvalidToken InvalidClientTokenId " +
      "UnrecognizedClientException IncompleteSignature MissingAuthenticationToken InvalidGrantTokenException",
  ],
  [
    "denied",
    "web-identity-refused",
    undefined,
    "InvalidIdentityToken InvalidIdentityTokenException IDPRejectedClaim",
  ],
  ["denied", "credentials-expired", undefined, "ExpiredToken ExpiredTokenException TokenRefreshRequired"],
  ["denied", "access-denied", undefined, "AccessDenied"],
  ["missing", "no-such-object", undefined, "NoSuchKey NotFound"],
  ["missing", "no-such-version", undefined, "NoSuchVersion"],
  ["missing", "no-such-bucket", undefined, "NoSuchBucket"],
  ["missing", "delete-marker", undefined, "MethodNotAllowed"],
  [
    "config",
    "bucket-elsewhere",
    undefined,
    "PermanentRedirect TemporaryRedirect AuthorizationHeaderMalformed IllegalLocationConstraintException",
  ],
  ["config", "object-archived", undefined, "InvalidObjectState"],
  ["data", "metadata-too-large", undefined, "MetadataTooLarge"],
  ["conflict", "conflict", undefined, "PreconditionFailed ConditionalRequestConflict"],
  ["denied", "key-denied", undefined, "AccessDeniedException"],
  ["denied", "wrong-key", undefined, "IncorrectKeyException"],
  ["config", "key-disabled", undefined, "DisabledException"],
  ["config", "key-unusable", undefined, "KMSInvalidStateException"],
  ["config", "no-such-key", undefined, "NotFoundException"],
  ["data", "wrapped-key-changed", undefined, "InvalidCiphertextException"],
  ["config", "key-not-for-encryption", undefined, "InvalidKeyUsageException"],
  ["unavailable", "answer-unreadable", "failing", "InvalidHttpAnswer"],
  [
    "unavailable",
    "service-failing",
    "failing",
    "KeyUnavailableException KMSInternalException DependencyTimeoutException InternalError InternalFailure " +
      "InternalServerError InternalServiceError ServiceUnavailable ServiceUnavailableException " +
      "IDPCommunicationError RequestTimeout RequestTimeoutException",
  ],
  [
    "timeout",
    "throttled",
    "throttled",
    "SlowDown Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException " +
      "TooManyRequestsException LimitExceededException RequestLimitExceeded BandwidthLimitExceeded " +
      "EC2ThrottledException PriorRequestNotComplete",
  ],
];

describe("what an error of AWS means", () => {
  for (const [name, status, kind, transient] of CODES) {
    test(`${name}, ${status}: ${kind}${transient ? ", tried again" : ""}`, () => {
      const failure = classify("Decrypt", serviceError(name, status));
      assert.equal(failure.error.kind, kind);
      assert.equal(failure.transient !== undefined, transient);
      assert.match(failure.error.message, new RegExp(`Decrypt.*${name}, ${status}, request id REQ-1`));
      assert.match(failure.error.hint ?? "", /./);
      assert.doesNotMatch(failure.error.message + failure.error.hint, /canary/);
    });
  }

  for (const [kind, says, transient, codes] of MEANINGS) {
    for (const name of codes.split(" ")) {
      test(`${name}: ${kind}, ${says}${transient === undefined ? "" : ", tried again"}`, () => {
        // Of a status that says something else: the code counts.
        for (const status of [400, 500, 404]) {
          const { error, ...rest } = classify("Decrypt", serviceError(name, status));
          assert.deepEqual([error.kind, error.code, rest.transient], [kind, says, transient]);
          assert.match(error.message, new RegExp(`\\(Decrypt: ${name}, ${status}, request id REQ-1\\)$`));
          assert.match(error.hint ?? "", /./);
          const facts = { operation: "Decrypt", awsCode: name, httpStatus: status, requestId: "REQ-1" };
          assert.deepEqual(error.facts, facts);
        }
      });
    }
  }

  test("what is not known of an error is left out of what is said", () => {
    const { error } = classify("Decrypt", Object.assign(new Error("canary"), { name: "SlowDown" }));
    assert.match(error.message, /\(Decrypt: SlowDown\)$/);
    assert.deepEqual(error.facts, { operation: "Decrypt", awsCode: "SlowDown" });
    const page = classify("Decrypt", { $metadata: { httpStatusCode: 503 } });
    assert.match(page.error.message, /\(Decrypt: 503\)$/);
    assert.deepEqual(page.error.facts, { operation: "Decrypt", httpStatus: 503 });
    const nothing = classify("Decrypt", new Error("canary"));
    assert.equal(nothing.error.message, "Decrypt: unexpected failure");
    assert.deepEqual(nothing.error.facts, { operation: "Decrypt" });
    const named = classify("Decrypt", serviceError("constructor", 418));
    assert.equal(named.error.message, "Decrypt: failed (constructor, 418, request id REQ-1)");
    assert.equal(named.error.kind, "config");
  });

  test("a service's own meaning of a code counts before the table's, by its words where there are two", () => {
    const own = (code: string, message: string): Meaning | undefined =>
      code === "AccessDenied" ? { kind: "data", says: message === "two words" ? "own" : "other" } : undefined;
    const refused = Object.assign(serviceError("AccessDenied", 403), { message: "two words" });
    const { error } = classify("GetObject", refused, own);
    assert.deepEqual([error.kind, error.code], ["data", "data"]);
    assert.match(error.message, /^own \(GetObject: AccessDenied, 403, /);
    assert.match(classify("GetObject", { name: "AccessDenied" }, own).error.message, /^other /);
    assert.equal(classify("GetObject", serviceError("NoSuchKey", 404), own).error.kind, "missing");
    assert.equal(classify("GetObject", { $metadata: { httpStatusCode: 403 } }, own).error.kind, "denied");
  });

  for (const code of [
    "ENOTFOUND EAI_AGAIN EAI_FAIL EAI_NODATA ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT EHOSTUNREACH",
    "ENETUNREACH ENETDOWN EHOSTDOWN EADDRNOTAVAIL ECONNCLOSED ESERVFAIL ETIMEOUT EREFUSED",
    "ERR_STREAM_PREMATURE_CLOSE UND_ERR_SOCKET",
  ].flatMap((line) => line.split(" "))) {
    test(`${code}: unavailable, tried again, the host is named`, () => {
      const failure = classify("GetObject", systemError(code, { hostname: "s3.test", port: 443 }));
      assert.equal(failure.error.kind, "unavailable");
      assert.equal(failure.transient, "unreachable");
      const isName = /^(ENOTFOUND|EAI_)/.test(code);
      assert.equal(failure.error.code, isName ? "name-not-resolved" : "unreachable");
      assert.deepEqual(failure.error.facts, { operation: "GetObject", systemCode: code });
      assert.equal(
        failure.error.message,
        isName
          ? `GetObject: s3.test: the host name does not resolve (${code})`
          : `GetObject: s3.test:443: cannot be reached (${code})`,
      );
    });
  }

  for (const [more, named] of [
    [{}, ""],
    [{ hostname: "s3.test" }, "s3.test: "],
    [{ port: 443 }, ""],
    [{ host: "s3.test", port: 443 }, "s3.test:443: "],
    [{ address: "10.0.0.1", port: 80 }, "10.0.0.1:80: "],
    [{ hostname: "s3.test", address: "10.0.0.1", port: 80 }, "s3.test:80: "],
    [{ hostname: "fd00:ec2::254", port: 80 }, "[fd00:ec2::254]:80: "],
    [{ hostname: 7, host: "b.test", port: "443" }, "b.test: "],
  ] as const) {
    test(`where it was to go: ${JSON.stringify(more)}`, () => {
      const { error } = classify("GetObject", systemError("ECONNREFUSED", more));
      assert.equal(error.message, `GetObject: ${named}cannot be reached (ECONNREFUSED)`);
    });
  }

  for (const [codes, hint] of [
    [
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE SELF_SIGNED_CERT_IN_CHAIN DEPTH_ZERO_SELF_SIGNED_CERT",
      /AWS_CA_BUNDLE/,
    ],
    ["ERR_SSL_WRONG_VERSION_NUMBER UNABLE_TO_GET_ISSUER_CERT_LOCALLY", /AWS_CA_BUNDLE/],
    ["SELF_SIGNED_CERT INVALID_CA INVALID_PURPOSE PATH_LENGTH_EXCEEDED ERR_TLS_HANDSHAKE", /AWS_CA_BUNDLE/],
    ["EPROTO", /speaks TLS: its URL says https/],
    ["CERT_HAS_EXPIRED CERT_NOT_YET_VALID", /renew.*clock/],
    ["ERR_TLS_CERT_ALTNAME_INVALID HOSTNAME_MISMATCH", /endpoint's host/],
  ] as const)
    for (const code of codes.split(" ")) {
      test(`${code}: a certificate is not tried again`, () => {
        const failure = classify("GetObject", systemError(code, { hostname: "s3.test", port: 443 }));
        assert.deepEqual([failure.error.kind, failure.error.code], ["unavailable", "tls-untrusted"]);
        assert.equal(failure.transient, undefined);
        assert.equal(
          failure.error.message,
          `GetObject: s3.test: its TLS certificate is not trusted (${code})`,
        );
        assert.deepEqual(failure.error.facts, { operation: "GetObject", systemCode: code });
        assert.match(failure.error.hint ?? "", hint);
      });
    }

  for (const [name, message] of [
    ["RequestTimeTooSkewed", "canary"],
    ["RequestExpired", "canary"],
    ["RequestInTheFuture", "canary"],
    ["InvalidSignatureException", "Signature expired: canary"],
    ["SignatureDoesNotMatch", "Signature not yet current: canary"],
  ] as const)
    test(`${name}, ${message.split(":")[0]}: the clock, and by how much`, () => {
      const date = new Date(Date.now() + 3_600_000).toUTCString();
      const $response = { headers: { date } };
      const error = Object.assign(serviceError(name, 403, { $response }), { message });
      const failure = classify("GetObject", error);
      assert.equal(failure.error.kind, "config");
      assert.equal(failure.error.code, "clock-skew");
      assert.equal(failure.transient, undefined);
      assert.match(
        failure.error.message,
        /^this machine's clock is too far off: 60 minutes behind AWS's \(\d{4}-\d\d-\d\dT[\d:]{8}Z here, \S+Z there\) \(GetObject: /,
      );
      assert.doesNotMatch(failure.error.message, /canary/);
    });

  for (const [secondsAhead, far] of [
    [119, "119 seconds behind"],
    [-1, "1 second ahead of"],
    [120, "2 minutes behind"],
    [-150, "3 minutes ahead of"],
  ] as const) {
    test(`a clock that is off by ${secondsAhead} seconds`, (t) => {
      // A whole second, which is what a Date header tells.
      t.mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 });
      const date = new Date(Date.now() + secondsAhead * 1_000).toUTCString();
      const error = serviceError("RequestTimeTooSkewed", 403, { $response: { headers: { date } } });
      const there = new Date(Date.now() + secondsAhead * 1_000).toISOString().slice(0, 19);
      assert.ok(
        classify("GetObject", error).error.message.includes(
          `: ${far} AWS's (2023-11-14T22:13:20Z here, ${there}Z there)`,
        ),
      );
    });
  }

  test("a clock that was set right by the refusal is tried again", () => {
    const $metadata = { httpStatusCode: 403, clockSkewCorrected: true };
    const { error, transient } = classify(
      "GetObject",
      serviceError("RequestTimeTooSkewed", 403, { $metadata }),
    );
    assert.deepEqual([error.kind, error.code, transient], ["config", "clock-skew", "failing"]);
  });

  test("a clock that is ahead, and an answer without a time", () => {
    const date = new Date(Date.now() - 7_200_000).toUTCString();
    const ahead = serviceError("RequestTimeTooSkewed", 403, { $response: { headers: { date } } });
    assert.match(classify("GetObject", ahead).error.message, /too far off: 120 minutes ahead of AWS's \(/);
    for (const headers of [{}, { date: "canary" }]) {
      const error = serviceError("RequestTimeTooSkewed", 403, { $response: { headers } });
      assert.match(
        classify("GetObject", error).error.message,
        /^this machine's clock is too far off \(GetObject: /,
      );
    }
  });

  for (const [name, code, says] of [
    ["ExpiredToken", "credentials-expired", /have expired/],
    ["InvalidAccessKeyId", "credentials-refused", /does not know the access key/],
    ["InvalidClientTokenId", "credentials-refused", /does not know the access key/],
    ["UnrecognizedClientException", "credentials-refused", /does not know the access key/],
    ["SignatureDoesNotMatch", "credentials-refused", /the secret access key does not belong/],
    ["InvalidToken", "credentials-refused", /session token/],
  ] as const)
    test(`${name}: which part of the credentials it is, and the way out`, () => {
      const { error } = classify("GetObject", serviceError(name, 403));
      assert.deepEqual([error.kind, error.code], ["denied", code]);
      assert.match(error.message, says);
      assert.match(error.hint ?? "", /AWS_|aws sso login/);
    });

  test("silence is a timeout, tried again", () => {
    const failure = classify("GetObject", new AttemptTimeout());
    assert.deepEqual([failure.error.kind, failure.transient], ["timeout", "hung"]);
    assert.deepEqual([failure.error.code, failure.error.facts], ["no-answer", { operation: "GetObject" }]);
  });
  test("our own error stays what it is", () => {
    const error = new SealexecError("data", "own");
    assert.deepEqual(classify("GetObject", error), { error });
  });
  test("what a service refuses for a reason that has no name here is a matter of configuration", () => {
    for (const status of [400, 405, 409, 418]) {
      const { error, transient } = classify("GetObject", serviceError("SomethingNew", status));
      assert.deepEqual([error.kind, transient], ["config", undefined], `${status}`);
    }
    assert.equal(classify("GetObject", serviceError("SomethingNew", 399)).error.kind, "unavailable");
  });
  test("a key that is not known is waited for only where it is new", () => {
    const refused = (unsettled: boolean, code = "InvalidAccessKeyId") =>
      classify("GetObject", serviceError(code, 403, { $metadata: { httpStatusCode: 403, unsettled } }));
    for (const code of [
      "InvalidAccessKeyId",
      "InvalidClientTokenId",
      "UnrecognizedClientException",
      "SignatureDoesNotMatch",
    ]) {
      const { error, transient } = refused(true, code);
      assert.deepEqual([error.kind, error.code, transient], ["denied", "credentials-unknown-yet", "failing"]);
    }
    assert.equal(refused(true, "InvalidToken").transient, undefined);
    assert.deepEqual([refused(false).error.kind, refused(false).transient], ["denied", undefined]);
    assert.equal(refused(true, "AccessDenied").transient, undefined);
  });
  test("what nobody knows is not tried again, and its text is not shown", () => {
    for (const thrown of [new Error("canary"), "canary", undefined, null, 7, { canary: "canary" }]) {
      const { error, transient } = classify("GetObject", thrown);
      assert.equal(transient, undefined);
      assert.doesNotMatch(error.message, /canary/);
    }
  });
});

describe("the facts of an error", () => {
  test("a code that is no identifier is a stranger's text", () => {
    for (const name of ["two words", "line\nbreak", "x".repeat(65), "<html>", "żółw", ""]) {
      assert.equal(facts(serviceError(name, 500)).code, undefined);
    }
    assert.equal(facts(serviceError("Good.Code_1-x", 500)).code, "Good.Code_1-x");
  });
  test("nor is such a request id", () => {
    const error = serviceError("X", 500, { $metadata: { httpStatusCode: 500, requestId: "a\nb" } });
    assert.deepEqual(facts(error), { code: "X", status: 500, requestId: undefined });
  });
  test("a code counts before the name, and one that says nothing not at all", () => {
    assert.equal(facts(Object.assign(serviceError("Other", 400), { code: "ECONNRESET" })).code, "ECONNRESET");
    for (const name of ["Error", "Unknown", "UnknownError"])
      assert.equal(facts(serviceError(name, 400)).code, undefined);
    assert.equal(facts(serviceError("x".repeat(64), 500)).code, "x".repeat(64));
    assert.deepEqual(facts("text"), { code: undefined, status: undefined, requestId: undefined });
    assert.deepEqual(facts(null), { code: undefined, status: undefined, requestId: undefined });
  });
  test("S3's Code counts before the name", () => {
    assert.equal(facts(serviceError("Unknown", 400, { Code: "MetadataTooLarge" })).code, "MetadataTooLarge");
  });
});
