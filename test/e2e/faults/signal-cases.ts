/** Row 39: a signal at each stage before exec. */
import type { Rule } from "../../aws/faults.ts";
import type { Aws } from "../../aws/server.ts";
import type { FaultCase } from "./fault-case.ts";

const SIGNALS = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129, SIGQUIT: 131 } as const;

interface Stage {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly when: (aws: Aws) => boolean;
}

const called = (service: "imds" | "s3" | "kms") => (aws: Aws) => aws.count(service) > 0;

const STAGES: readonly Stage[] = [
  {
    name: "waiting for IMDS",
    rules: [{ service: "imds", operation: "GetToken", action: "silent" }],
    when: called("imds"),
  },
  {
    name: "waiting for S3's connection",
    rules: [{ service: "s3", action: "connectHang" }],
    when: (aws) => aws.count("imds", "GetCredentials") > 0,
  },
  { name: "waiting for S3's answer", rules: [{ service: "s3", action: "silent" }], when: called("s3") },
  { name: "reading the body", rules: [{ service: "s3", action: "drip" }], when: called("s3") },
  { name: "waiting for KMS", rules: [{ service: "kms", action: "silent" }], when: called("kms") },
  {
    name: "waiting to try again",
    rules: [{ service: "kms", action: "status", status: 400, code: "ThrottlingException" }],
    when: called("kms"),
  },
];

export const SIGNAL_CASES: readonly FaultCase[] = STAGES.flatMap(({ name, rules, when }, stage) =>
  (Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]).map((signal): FaultCase => ({
    id: `39.${stage + 1}`,
    fault: `${signal} while ${name}`,
    rules,
    signal: { name: signal, when },
    boundMs: 200,
    expected: { status: SIGNALS[signal], silent: true },
  })),
);
