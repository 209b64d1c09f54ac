/** Rows 34 to 38: what KMS answers, and clocks. */
import assert from "node:assert/strict";
import type { Aws } from "../../aws/server.ts";
import { KEY } from "../harness.ts";
import { deadline, seconds } from "./fault-case.ts";
import type { Expected, FaultCase } from "./fault-case.ts";

const once = (aws: Aws): void => {
  assert.equal(aws.count("s3"), 1);
  assert.equal(aws.count("kms"), 1, "a refusal was asked for again");
};

const refusal = (status: number, says: string, code: string, hint: RegExp): Expected => ({
  status,
  error: new RegExp(
    `key: s3://app-secrets/app\\.env under \\S+: ${says}.* \\(Decrypt: ${code}, 400, request id [\\w-]+\\)$`,
  ),
  hint,
});

const HOUR_MS = 3_600_000;
const skewed = (id: string, offsetMs: number): FaultCase => ({
  id,
  fault: `the clock is off by ${offsetMs / HOUR_MS} h`,
  clockOffsetMs: offsetMs,
  boundMs: seconds(5),
  expected: "CMD runs",
  verify: (aws) => {
    // What S3's refusal said of the time, KMS is signed for with.
    assert.equal(aws.count("s3"), 2);
    assert.equal(aws.count("kms"), 1);
  },
});

export const KMS_CASES: readonly FaultCase[] = [
  {
    id: "34",
    fault: "KMS throttled six times",
    rules: [{ service: "kms", action: "status", status: 400, code: "ThrottlingException", times: 6 }],
    boundMs: seconds(30),
    expected: "CMD runs",
    verify: (aws) => assert.equal(aws.count("kms"), 7),
  },
  {
    id: "35",
    fault: "KMS throttled for ever",
    rules: [{ service: "kms", action: "status", status: 400, code: "ThrottlingException" }],
    timeoutS: 4,
    boundMs: deadline(4),
    expected: {
      status: 75,
      error: /key: s3:.*throttled.*\(Decrypt: ThrottlingException, 400, request id [\w-]+\)/,
      hint: /--timeout \(SEALEXEC_TIMEOUT\).*quota/,
    },
  },
  {
    id: "36",
    fault: "KMS key disabled",
    prepare: ({ aws }) => {
      aws.kms.setState(KEY, "Disabled");
      return {};
    },
    boundMs: seconds(3),
    expected: refusal(78, "the KMS key is disabled", "DisabledException", /enable the key/),
    verify: once,
  },
  {
    id: "36b",
    fault: "KMS key pending deletion",
    prepare: ({ aws }) => {
      aws.kms.setState(KEY, "PendingDeletion");
      return {};
    },
    boundMs: seconds(3),
    expected: refusal(
      78,
      "the KMS key .*pending deletion",
      "KMSInvalidStateException",
      /cancel its deletion/,
    ),
    verify: once,
  },
  {
    id: "36c",
    fault: "another key than the configured one",
    prepare: ({ aws }) => ({ key: aws.kms.createKey().arn }),
    boundMs: seconds(3),
    expected: refusal(
      77,
      "it is sealed under another key",
      "IncorrectKeyException",
      /--key \(SEALEXEC_KEY\)/,
    ),
    verify: once,
  },
  {
    id: "36d",
    fault: "KMS access denied",
    prepare: ({ aws }) => {
      aws.kms.deny("Decrypt");
      return {};
    },
    boundMs: seconds(3),
    expected: refusal(77, "KMS denies", "AccessDeniedException", /the role's policy and the key's policy/),
    verify: once,
  },
  {
    id: "37",
    fault: "KMS accepts and stays silent",
    rules: [{ service: "kms", action: "silent" }],
    timeoutS: 4,
    boundMs: seconds(5),
    expected: {
      status: 75,
      error: /key: s3:.*Decrypt: no answer in time/,
      hint: /--timeout \(SEALEXEC_TIMEOUT\)/,
    },
  },
  {
    id: "37b",
    fault: "KMS closes the connection before the answer, once",
    rules: [{ service: "kms", action: "hangUp", times: 1 }],
    boundMs: seconds(5),
    expected: "CMD runs",
    verify: (aws) => assert.equal(aws.count("kms"), 2),
  },
  {
    id: "37c",
    fault: "KMS's answer is cut once",
    rules: [{ service: "kms", action: "cutJson", times: 1 }],
    boundMs: seconds(5),
    expected: "CMD runs",
    verify: (aws) => assert.equal(aws.count("kms"), 2),
  },
  {
    id: "37d",
    fault: "a web page in the place of KMS, for ever",
    rules: [{ service: "kms", action: "body", body: "<html>log in</html>" }],
    timeoutS: 4,
    boundMs: deadline(4),
    expected: { status: 69, error: /key: s3:.*the answer is not the service's \(Decrypt: /, hint: /proxy/ },
  },
  skewed("38", HOUR_MS),
  skewed("38b", -HOUR_MS),
];
