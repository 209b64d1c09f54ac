import { defined } from "../../base/defined.ts";
import type { Environment } from "../../base/env.ts";
import { SealexecError } from "../../base/errors.ts";
import { ONLY_200, stsConfig } from "../call/clients.ts";
import { classify } from "../call/failure.ts";
import { fromWebToken } from "../sdk.ts";
import { readTokenFile } from "../settings.ts";
import type { CredentialSource } from "./source.ts";

/** A web identity token, exchanged at STS: EKS's IAM roles for service accounts (IRSA), and others. */
export function webIdentitySource(env: Environment): CredentialSource {
  const role = env["AWS_ROLE_ARN"];
  const roleSessionName = env["AWS_ROLE_SESSION_NAME"] || undefined;
  return {
    name: `web identity (${role ?? "AWS_ROLE_ARN"})`,
    attemptMs: 10_000,
    load: async ({ context, network, region }) => {
      const webIdentityToken = readTokenFile(env, "AWS_WEB_IDENTITY_TOKEN_FILE") ?? "";
      if (role === undefined || role === "")
        throw new SealexecError("config", "AWS_ROLE_ARN is missing beside AWS_WEB_IDENTITY_TOKEN_FILE", {
          hint: "annotate the service account with its role",
        });
      return fromWebToken({
        webIdentityToken,
        roleArn: role,
        ...defined({ roleSessionName }),
        clientConfig: stsConfig(context.env, await network.agents(), region),
        clientPlugins: [ONLY_200],
      })();
    },
    classify: (error) => classify("AssumeRoleWithWebIdentity", error),
  };
}
