import type { Environment } from "../../context.ts";
import { SealexecError } from "../../errors.ts";
import type { CredentialSource } from "../credentials.ts";
import type { Failure } from "../failure.ts";
import { InstanceMetadata, MetadataRefusal, metadataEndpoint } from "../instance-metadata.ts";
import { UnusableAnswer, parseCredentials } from "./answer.ts";

const ROLES = "iam/security-credentials/";
// IAM User Guide, "IAM and STS quotas": characters of a role's name; none of them needs an encoding in a path.
const ROLE_NAME = /^(?!\.+$)[\w+=,.@-]{1,64}$/;

/** The role of an EC2 instance. */
export async function instanceSource(env: Environment): Promise<CredentialSource> {
  const endpoint = await metadataEndpoint(env);
  return {
    name: "instance metadata",
    attemptMs: 1_500,
    // It is one hop away: what does not answer for so long is not there.
    budgetMs: 5_000,
    load: async ({ network, signal }) => {
      const metadata = new InstanceMetadata(endpoint, network.wires, signal);
      const [role = ""] = (await metadata.read(ROLES)).split("\n", 1);
      if (!ROLE_NAME.test(role.trim())) throw new UnusableAnswer();
      return parseCredentials(await metadata.read(ROLES + role.trim()));
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
  return error instanceof MetadataRefusal && error.statusCode === 404 && error.path.endsWith(ROLES);
}
