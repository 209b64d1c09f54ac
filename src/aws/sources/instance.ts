import { fromInstanceMetadata } from "@aws-sdk/credential-providers";
import type { Environment } from "../../context.ts";
import { SealexecError } from "../../errors.ts";
import type { CredentialSource } from "../credentials.ts";
import type { Failure } from "../failure.ts";
import { SILENT } from "../silent.ts";

const DEFAULT_ENDPOINT = "http://169.254.169.254";

/** The EC2 instance metadata service, version 2 only: no request is ever made without a token. */
export function instanceSource(env: Environment): CredentialSource {
  const endpoint = env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] || DEFAULT_ENDPOINT;
  return {
    name: "instance metadata",
    attemptMs: 1_500,
    // It is one hop away: what does not answer for so long is not there.
    budgetMs: 5_000,
    // A provider of its own for each attempt: the SDK's remembers a refused token and would then go without.
    load: () =>
      fromInstanceMetadata({ timeout: 1_000, maxRetries: 0, ec2MetadataV1Disabled: true, logger: SILENT })(),
    classify: (error) => failureOf(error, endpoint),
  };
}

function failureOf(error: unknown, endpoint: string): Failure {
  if (error instanceof SealexecError) return { error };
  if (statusOf(error) === 404) {
    return {
      error: new SealexecError(
        "denied",
        `instance metadata at ${endpoint}: no role is attached to this instance`,
        {
          hint: "attach an instance profile (aws ec2 associate-iam-instance-profile)",
          cause: error,
        },
      ),
    };
  }
  return {
    error: new SealexecError(
      "unavailable",
      `instance metadata at ${endpoint}: no credentials to be had by IMDSv2`,
      {
        hint:
          "in a container the hop limit must be 2: aws ec2 modify-instance-metadata-options --instance-id ID " +
          "--http-put-response-hop-limit 2 --http-tokens required --http-endpoint enabled",
        cause: error,
      },
    ),
    transient: "unreachable",
  };
}

function statusOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : undefined;
}
