import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { classify } from "../../../../src/aws/call/failure.ts";
import { SealexecError } from "../../../../src/base/errors.ts";
import type { ErrorKind } from "../../../../src/base/errors.ts";
import { secretMeaning } from "../../../../src/stores/secrets-manager/meanings.ts";
import { contentOf } from "../../../../src/stores/secrets-manager/read.ts";
import type { Reading } from "../../../../src/stores/secrets-manager/ref.ts";
import { refuses } from "../../refuses.ts";

function variablesOf(text: string, reading: Reading): Record<string, string> {
  const content = contentOf(text, reading);
  assert.equal(content.kind, "variables");
  const { variables } = content as Extract<typeof content, { kind: "variables" }>;
  return Object.fromEntries([...variables].map(([name, value]) => [name, value.reveal()]));
}

describe("the text of a secret", () => {
  test("a JSON object is its keys", () => {
    const text = ' {"A":"x","B":1,"C":true,"D":""}';
    assert.deepEqual(variablesOf(text, { as: "object" }), { A: "x", B: "1", C: "true", D: "" });
  });

  test("nested names are joined where that is asked for, and refused by name where not", () => {
    const text = '{"db":{"host":"h","port":1}}';
    assert.deepEqual(variablesOf(text, { as: "object", flatten: "_" }), { db_host: "h", db_port: "1" });
    const { message } = refuses(() => contentOf(text, { as: "object" }), "data", /^db is a nested value/);
    assert.doesNotMatch(message, /host/);
  });

  test("one key, of any spelling", () => {
    const text = '{"db.host":"h","db.port":5432,"__proto__":"p"}';
    assert.deepEqual(variablesOf(text, { as: "key", key: "db.host", name: "H" }), { H: "h" });
    assert.deepEqual(variablesOf(text, { as: "key", key: "db.port", name: "P" }), { P: "5432" });
    for (const key of ["db", "toString", "constructor"]) {
      refuses(() => contentOf(text, { as: "key", key, name: "X" }), "missing", new RegExp(`no key "${key}"`));
    }
    const { message } = refuses(() => contentOf("canary", { as: "key", key: "a", name: "A" }), "data");
    assert.doesNotMatch(message, /canary/);
  });

  test("the whole text, JSON or not, byte for byte", () => {
    for (const text of ["hunter2", '{"A":1}', "", " a\n", "żółw"])
      assert.deepEqual(variablesOf(text, { as: "value", name: "A" }), { A: text });
  });

  test("a text of a dialect is handed on", () => {
    const content = contentOf("A=1\n", { as: "text", dialect: "dotenv" });
    assert.deepEqual(content, { kind: "text", bytes: Buffer.from("A=1\n") });
  });

  for (const text of ["canary", "A=canary", '["canary"]', '"canary"', "", "1"]) {
    test(`refuses ${JSON.stringify(text)} with the two ways out`, () => {
      const { message, hint } = refuses(() => contentOf(text, { as: "object" }), "data", /not a JSON object/);
      assert.match(hint ?? "", /\?as=NAME .*\?format=dotenv/);
      assert.doesNotMatch(message + hint, /canary/);
    });
  }

  test("JSON that is cut short is refused, and not repeated", () => {
    const { message } = refuses(() => contentOf('{"A":"canary', { as: "object" }), "data", /not valid JSON/);
    assert.doesNotMatch(message, /canary/);
  });

  test("what no variable can hold is refused by name, however it is read", () => {
    for (const text of ["canary\0", "canary\ud800"]) {
      const { message } = refuses(() => contentOf(text, { as: "value", name: "A" }), "data", /^A holds /);
      assert.doesNotMatch(message, /canary/);
    }
    refuses(() => contentOf('{"A":"\\u0000"}', { as: "object" }), "data", /^A holds a NUL$/);
  });
});

const CODES: readonly (readonly [string, string, ErrorKind, RegExp, RegExp])[] = [
  [
    "AccessDeniedException",
    "User: arn is not authorized to perform: secretsmanager:GetSecretValue",
    "denied",
    /^access denied/,
    /secretsmanager:GetSecretValue/,
  ],
  ["AccessDeniedException", "Access to KMS is not allowed", "denied", /KMS key is denied/, /kms:Decrypt/],
  [
    "ResourceNotFoundException",
    "Secrets Manager can't find the specified secret.",
    "missing",
    /^no such secret/,
    /region/,
  ],
  [
    "ResourceNotFoundException",
    "Secrets Manager can't find the specified secret value for staging label: AWSPENDING",
    "missing",
    /^no such version or stage/,
    /AWSCURRENT/,
  ],
  [
    "ResourceNotFoundException",
    "Secrets Manager can't find the specified secret value for VersionId: x",
    "missing",
    /^no such version or stage/,
    /versionId/,
  ],
  [
    "InvalidRequestException",
    "You can't perform this operation on the secret because it was marked for deletion.",
    "missing",
    /marked for deletion/,
    /restore-secret/,
  ],
  [
    "InvalidRequestException",
    "You can't create this secret because a secret with this name is already scheduled for deletion.",
    "missing",
    /marked for deletion/,
    /restore-secret/,
  ],
  [
    "InvalidRequestException",
    "You tried to perform the operation on a secret that's currently marked deleted.",
    "missing",
    /marked for deletion/,
    /restore-secret/,
  ],
  ["InvalidRequestException", "A rotation is in progress.", "config", /in a state/, /describe-secret/],
  ["DecryptionFailure", "", "config", /cannot decrypt/, /KMS key/],
  ["EncryptionFailure", "", "config", /cannot encrypt/, /KMS key/],
  ["InvalidParameterException", "", "config", /does not take/, /URI/],
  ["ValidationException", "", "config", /does not take/, /URI/],
  ["ResourceExistsException", "", "conflict", /there is a secret already/, /nothing was overwritten/],
  ["LimitExceededException", "", "config", /quota/, /100 versions/],
];

describe("what Secrets Manager's refusals mean", () => {
  for (const [code, message, kind, says, hint] of CODES) {
    test(`${code}: ${message}`, () => {
      const error = Object.assign(new Error(`${message} canary`), {
        name: code,
        $metadata: { httpStatusCode: 400, requestId: "REQ-1" },
      });
      const failure = classify("GetSecretValue", error, secretMeaning("GetSecretValue"));
      assert.ok(failure.error instanceof SealexecError);
      assert.equal(failure.error.kind, kind);
      assert.equal(failure.transient, undefined);
      assert.match(failure.error.message, says);
      assert.match(
        failure.error.message,
        new RegExp(`\\(GetSecretValue: ${code}, 400, request id REQ-1\\)$`),
      );
      assert.match(failure.error.hint ?? "", hint);
      assert.doesNotMatch(failure.error.message + failure.error.hint, /canary/);
    });
  }

  for (const [code, status, transient] of [
    ["InternalServiceError", 500, "failing"],
    ["ThrottlingException", 400, "throttled"],
  ] as const) {
    test(`${code} is tried again`, () => {
      const error = Object.assign(new Error(""), { name: code, $metadata: { httpStatusCode: status } });
      assert.equal(classify("GetSecretValue", error, secretMeaning("GetSecretValue")).transient, transient);
    });
  }
});
