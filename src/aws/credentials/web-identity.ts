import { fromWebToken } from "../sdk.ts";
import type { Environment } from "../../base/env.ts";
import { SealexecError } from "../../base/errors.ts";
import { readSmallFile, whyUnread } from "../../base/files/read.ts";
import { isSet } from "../../base/env.ts";
import type { CredentialSource } from "./source.ts";
import { classify } from "../call/failure.ts";
import { ONLY_200 } from "../call/only-200.ts";
import { stsConfig } from "./sts.ts";

/** A web identity token, exchanged at STS: EKS's IAM roles for service accounts (IRSA), and others. */
export function webIdentitySource(env: Environment): CredentialSource {
  const role = env["AWS_ROLE_ARN"];
  const session = env["AWS_ROLE_SESSION_NAME"] ?? "";
  return {
    name: `web identity (${role ?? "AWS_ROLE_ARN"})`,
    attemptMs: 10_000,
    load: async ({ context, network, region }) =>
      fromWebToken({
        webIdentityToken: readToken(env),
        roleArn: roleOf(env),
        ...(session === "" ? {} : { roleSessionName: session }),
        clientConfig: stsConfig(context.env, await network.agents(), region),
        clientPlugins: [ONLY_200],
      })(),
    classify: (error) => classify("AssumeRoleWithWebIdentity", error),
  };
}

function roleOf(env: Environment): string {
  if (isSet(env, "AWS_ROLE_ARN")) return env["AWS_ROLE_ARN"] ?? "";
  throw new SealexecError("config", "AWS_ROLE_ARN is missing beside AWS_WEB_IDENTITY_TOKEN_FILE", {
    hint: "annotate the service account with its role",
  });
}

/** Read again for each attempt, as it is rotated. */
function readToken(env: Environment): string {
  const file = env["AWS_WEB_IDENTITY_TOKEN_FILE"] ?? "";
  try {
    return readSmallFile(file).toString("ascii").trim();
  } catch (error) {
    throw new SealexecError(
      "config",
      `AWS_WEB_IDENTITY_TOKEN_FILE: ${file} cannot be read (${whyUnread(error)})`,
      { hint: "mount the service account's token where this user can read it", cause: error },
    );
  }
}
