import { fromIni } from "../sdk.ts";
import type { Environment } from "../../context.ts";
import { SealexecError } from "../../errors.ts";
import { isSet } from "../credentials.ts";
import type { CredentialSource } from "../credentials.ts";
import { classify, facts } from "../failure.ts";
import type { Failure } from "../failure.ts";
import { ONLY_200 } from "../only-200.ts";
import { SILENT } from "../silent.ts";
import { stsConfig } from "../sts.ts";

/** The shared files: static keys, assume-role chains, web identity, SSO and credential_process, by profile. */
export function profileSource(env: Environment): CredentialSource {
  const chosen = isSet(env, "AWS_PROFILE");
  const profile = chosen ? (env["AWS_PROFILE"] ?? "default") : "default";
  return {
    name: `profile ${profile}`,
    attemptMs: 10_000,
    load: async ({ context, network, region }) => {
      const clientConfig = stsConfig(context.env, await network.agents(), region);
      try {
        return await fromIni({ profile, clientConfig, clientPlugins: [ONLY_200], logger: SILENT })();
      } catch (error) {
        // A default profile that nobody chose and that has no credentials is not a source.
        if (!chosen && hasNoCredentials(error)) return undefined;
        throw error;
      }
    },
    classify: (error) => failureOf(error, profile),
  };
}

function hasNoCredentials(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Could not resolve credentials using profile: [");
}

function failureOf(error: unknown, profile: string): Failure {
  const { code, status } = facts(error);
  const fromProvider =
    code === "CredentialsProviderError" || code === "ProviderError" || code === "TokenProviderError";
  if (error instanceof SealexecError || !fromProvider || status !== undefined) {
    const failure = classify(`profile ${profile}`, error);
    // Each attempt has an STS client of its own, which learns nothing of the clock from the one before.
    return failure.error.kind === "config" ? { error: failure.error } : failure;
  }
  if (error instanceof Error && /SSO|sso|token is expired|aws login/.test(error.message)) {
    return {
      error: new SealexecError(
        "denied",
        `profile ${profile}: its single sign-on session is missing or expired`,
        {
          hint: `log in again: aws sso login --profile ${profile}`,
          cause: error,
        },
      ),
    };
  }
  return {
    error: new SealexecError("config", `profile ${profile}: no usable credentials in the shared files`, {
      hint: "check AWS_PROFILE and the profile's section (aws configure list)",
      cause: error,
    }),
  };
}
