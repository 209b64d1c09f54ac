/** The fault table, in its order. */
import { COMMAND_CASES } from "./command-cases.ts";
import { CREDENTIAL_CASES } from "./credential-cases.ts";
import type { FaultCase } from "./fault-case.ts";
import { KMS_CASES } from "./kms-cases.ts";
import { NETWORK_CASES } from "./network-cases.ts";
import { S3_CASES } from "./s3-cases.ts";
import { SIGNAL_CASES } from "./signal-cases.ts";

export const FAULT_TABLE: readonly FaultCase[] = [
  ...CREDENTIAL_CASES,
  ...NETWORK_CASES,
  ...S3_CASES,
  ...KMS_CASES,
  ...SIGNAL_CASES,
  ...COMMAND_CASES,
];
