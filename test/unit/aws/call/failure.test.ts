import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { classify, facts } from "../../../../src/aws/call/failure.ts";
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
  ["NoSuchKey", 404, "missing", false],
  ["NoSuchBucket", 404, "missing", false],
  ["NoSuchVersion", 404, "missing", false],
  ["MethodNotAllowed", 405, "missing", false],
  ["AccessDenied", 403, "denied", false],
  ["InvalidAccessKeyId", 403, "denied", false],
  ["SignatureDoesNotMatch", 403, "denied", false],
  ["ExpiredToken", 400, "denied", false],
  ["ExpiredTokenException", 400, "denied", false],
  ["UnrecognizedClientException", 400, "denied", false],
  ["AccessDeniedException", 400, "denied", false],
  ["IncorrectKeyException", 400, "denied", false],
  ["DisabledException", 400, "config", false],
  ["KMSInvalidStateException", 400, "config", false],
  ["NotFoundException", 400, "config", false],
  ["InvalidCiphertextException", 400, "data", false],
  ["PreconditionFailed", 412, "conflict", false],
  ["SlowDown", 503, "timeout", true],
  ["ThrottlingException", 400, "timeout", true],
  ["TooManyRequestsException", 429, "timeout", true],
  ["LimitExceededException", 400, "timeout", true],
  ["InternalError", 500, "unavailable", true],
  ["KMSInternalException", 500, "unavailable", true],
  ["KeyUnavailableException", 500, "unavailable", true],
  ["DependencyTimeoutException", 503, "unavailable", true],
  ["ServiceUnavailable", 503, "unavailable", true],
  // Only the status is known.
  ["SomethingNew", 403, "denied", false],
  ["SomethingNew", 404, "missing", false],
  ["SomethingNew", 429, "timeout", true],
  ["SomethingNew", 500, "unavailable", true],
  ["SomethingNew", 502, "unavailable", true],
  ["SomethingNew", 599, "unavailable", true],
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

  for (const code of [
    "ENOTFOUND EAI_AGAIN ECONNREFUSED ECONNRESET EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH",
  ].flatMap((line) => line.split(" "))) {
    test(`${code}: unavailable, tried again, the host is named`, () => {
      const failure = classify("GetObject", systemError(code, { hostname: "s3.test" }));
      assert.equal(failure.error.kind, "unavailable");
      assert.equal(failure.transient, "unreachable");
      assert.match(failure.error.message, new RegExp(`^GetObject: s3\\.test: .*\\(${code}\\)$`));
    });
  }

  for (const [codes, hint] of [
    [
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE SELF_SIGNED_CERT_IN_CHAIN DEPTH_ZERO_SELF_SIGNED_CERT",
      /AWS_CA_BUNDLE/,
    ],
    ["ERR_SSL_WRONG_VERSION_NUMBER UNABLE_TO_GET_ISSUER_CERT_LOCALLY", /AWS_CA_BUNDLE/],
    ["CERT_HAS_EXPIRED CERT_NOT_YET_VALID", /renew.*clock/],
    ["ERR_TLS_CERT_ALTNAME_INVALID HOSTNAME_MISMATCH", /endpoint's host/],
  ] as const)
    for (const code of codes.split(" ")) {
      test(`${code}: a certificate is not tried again`, () => {
        const failure = classify("GetObject", systemError(code));
        assert.equal(failure.error.kind, "unavailable");
        assert.equal(failure.transient, undefined);
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
    assert.deepEqual([refused(true).error.kind, refused(true).transient], ["denied", "failing"]);
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
  test("S3's Code counts before the name", () => {
    assert.equal(facts(serviceError("Unknown", 400, { Code: "MetadataTooLarge" })).code, "MetadataTooLarge");
  });
});
