import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { classify } from "../../../../src/aws/call/failure.ts";
import type { ErrorKind } from "../../../../src/base/errors.ts";
import { ssmMeaning } from "../../../../src/stores/ssm/meanings.ts";
import { variableName, variablesOf } from "../../../../src/stores/ssm/names.ts";
import { refuses } from "../../refuses.ts";

describe("the variables of parameters", () => {
  for (const [parameter, name] of [
    ["/app/db-host", "DB_HOST"],
    ["/app/prod/api.v2.key", "API_V2_KEY"],
    ["/app/DB_HOST", "DB_HOST"],
    ["/top", "TOP"],
    ["/app/_x..y", "_X__Y"],
  ] as const) {
    test(`${parameter} is ${name}`, () => assert.equal(variableName(parameter), name));
  }

  test("in their order, values as they are", () => {
    const variables = variablesOf([
      { name: "/a/z", value: " x\n" },
      { name: "/a/b-c", value: "a,b" },
    ]);
    assert.deepEqual(
      [...variables].map(([name, value]) => [name, value.reveal()]),
      [
        ["Z", " x\n"],
        ["B_C", "a,b"],
      ],
    );
  });

  test("two that give one name are refused by both their names", () => {
    const twice = [
      { name: "/a/db-host", value: "canary" },
      { name: "/a/b/db.host", value: "canary" },
    ];
    const { message } = refuses(
      () => variablesOf(twice),
      "data",
      /^\/a\/db-host and \/a\/b\/db\.host both give DB_HOST$/,
    );
    assert.doesNotMatch(message, /canary/);
  });

  test("a value that no variable can hold is refused by its parameter's name", () => {
    const { message } = refuses(
      () => variablesOf([{ name: "/a/b", value: "canary\0" }]),
      "data",
      /^\/a\/b holds a NUL$/,
    );
    assert.doesNotMatch(message, /canary/);
  });

  for (const name of ["/a/1st", "/a/9"]) {
    test(`${name} gives no name`, () => {
      const { message } = refuses(
        () => variablesOf([{ name, value: "canary" }]),
        "data",
        /is not the name of/,
      );
      assert.ok(message.startsWith(name));
      assert.doesNotMatch(message, /canary/);
    });
  }
});

const CODES: readonly (readonly [string, string, ErrorKind, RegExp, RegExp])[] = [
  [
    "AccessDeniedException",
    "User: arn is not authorized to perform: ssm:GetParameter on resource: arn",
    "denied",
    /^access denied/,
    /ssm:GetParameter/,
  ],
  [
    "AccessDeniedException",
    "User: arn is not authorized to perform: kms:Decrypt on resource: arn",
    "denied",
    /KMS key is denied/,
    /kms:Decrypt/,
  ],
  [
    "AccessDeniedException",
    "The ciphertext refers to a customer master key that does not exist (Service: AWSKMS; …)",
    "denied",
    /KMS key is denied/,
    /kms:Decrypt/,
  ],
  ["ParameterNotFound", "", "missing", /^no such parameter/, /slash at the end/],
  ["InvalidKeyId", "", "config", /KMS key of the parameter/, /enabled/],
  ["HierarchyTypeMismatch", "", "data", /another type/, /delete/],
  ["ParameterLimitExceeded", "", "config", /as many parameters/, /quota/],
  ["ParameterMaxVersionLimitExceeded", "", "config", /label/, /label/],
  ["ValidationException", "", "config", /does not take/, /8 KB/],
];

describe("what Systems Manager's refusals mean", () => {
  for (const [code, message, kind, says, hint] of CODES) {
    test(`${code}: ${message}`, () => {
      const error = Object.assign(new Error(`${message} canary`), {
        name: code,
        $metadata: { httpStatusCode: 400, requestId: "REQ-1" },
      });
      const failure = classify("GetParameter", error, ssmMeaning("GetParameter"));
      assert.equal(failure.error.kind, kind);
      assert.equal(failure.transient, undefined);
      assert.match(failure.error.message, says);
      assert.match(failure.error.message, new RegExp(`\\(GetParameter: ${code}, 400, request id REQ-1\\)$`));
      assert.match(failure.error.hint ?? "", hint);
      assert.doesNotMatch(failure.error.message + failure.error.hint, /canary/);
    });
  }

  for (const [operation, code, status, transient] of [
    ["GetParameter", "InternalServerError", 500, "failing"],
    ["GetParametersByPath", "ThrottlingException", 400, "throttled"],
    ["PutParameter", "ThrottlingException", 400, "failing"],
    ["PutParameter", "TooManyUpdates", 400, "failing"],
  ] as const) {
    test(`${code} of ${operation} is tried again`, () => {
      const error = Object.assign(new Error(""), { name: code, $metadata: { httpStatusCode: status } });
      assert.equal(classify(operation, error, ssmMeaning(operation)).transient, transient);
    });
  }
});
