import type { Environment } from "../../context.ts";
import { SealexecError } from "../../errors.ts";
import type { CredentialSource } from "../credentials.ts";
import type { Failure } from "../failure.ts";
import { hasSharedFiles } from "../credentials.ts";
import { InstanceMetadata, MetadataRefusal, metadataEndpoint } from "../instance-metadata.ts";
import { parseCredentials } from "./answer.ts";

const ROLES = "iam/security-credentials/";

/** The role of an EC2 instance. */
export function instanceSource(env: Environment): CredentialSource {
  const endpoint = metadataEndpoint(env);
  return {
    name: "instance metadata",
    attemptMs: 1_500,
    // It is one hop away: what does not answer for so long is not there.
    budgetMs: 5_000,
    load: async ({ network, signal }) => {
      if (hasSharedFiles(env)) return (await import("./instance-sdk.ts")).loadBySdk();
      const metadata = new InstanceMetadata(env, network.wires, signal);
      const [role = ""] = (await metadata.read(ROLES)).split("\n", 1);
      return parseCredentials(await metadata.read(ROLES + encodeURIComponent(role.trim())));
    },
    classify: (error) => failureOf(error, endpoint),
  };
}

function failureOf(error: unknown, endpoint: string): Failure {
  if (error instanceof SealexecError) return { error };
  if (hasNoRole(error)) {
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

// The list of roles is not there; any other 404 is of a service that is not IMDSv2.
function hasNoRole(error: unknown): boolean {
  if (error instanceof MetadataRefusal) return error.statusCode === 404 && error.path.endsWith(ROLES);
  return typeof error === "object" && error !== null && "statusCode" in error && error.statusCode === 404;
}
