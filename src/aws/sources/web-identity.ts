import { readFileSync } from "node:fs";
import { fromTokenFile } from "../sdk.ts";
import type { Environment } from "../../context.ts";
import { SealexecError } from "../../errors.ts";
import { isSet } from "../credentials.ts";
import type { CredentialSource } from "../credentials.ts";
import { classify } from "../failure.ts";
import { ONLY_200 } from "../only-200.ts";
import { stsConfig } from "../sts.ts";

/** A web identity token, exchanged at STS: EKS's IAM roles for service accounts (IRSA), and others. */
export function webIdentitySource(env: Environment): CredentialSource {
  const role = env["AWS_ROLE_ARN"];
  return {
    name: `web identity (${role ?? "AWS_ROLE_ARN"})`,
    attemptMs: 10_000,
    load: async ({ context, network, region }) => {
      checkConfiguration(env);
      const clientConfig = stsConfig(context.env, await network.agents(), region);
      return fromTokenFile({ clientConfig, clientPlugins: [ONLY_200] })();
    },
    classify: (error) => classify("AssumeRoleWithWebIdentity", error),
  };
}

function checkConfiguration(env: Environment): void {
  if (!isSet(env, "AWS_ROLE_ARN")) {
    throw new SealexecError("config", "AWS_ROLE_ARN is missing beside AWS_WEB_IDENTITY_TOKEN_FILE", {
      hint: "annotate the service account with its role",
    });
  }
  const file = env["AWS_WEB_IDENTITY_TOKEN_FILE"] ?? "";
  try {
    readFileSync(file);
  } catch (error) {
    throw new SealexecError("config", `AWS_WEB_IDENTITY_TOKEN_FILE: ${file} cannot be read`, {
      hint: "mount the service account's token where this user can read it",
      cause: error,
    });
  }
}
