import { readFileSync } from "node:fs";
import { fromHttp } from "@aws-sdk/credential-providers";
import type { Environment } from "../../context.ts";
import { SealexecError } from "../../errors.ts";
import { isSet } from "../credentials.ts";
import type { CredentialSource } from "../credentials.ts";
import type { Failure } from "../failure.ts";
import { SILENT } from "../silent.ts";

/** The credential endpoint of ECS, Fargate and EKS Pod Identity. */
export function containerSource(env: Environment): CredentialSource {
  const relative = isSet(env, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const name = relative ? "container (ECS)" : "container (full URI: EKS Pod Identity or another agent)";
  return {
    name,
    attemptMs: 1_500,
    // It is one hop away: what does not answer for so long is not there.
    budgetMs: 5_000,
    load: async () => {
      checkTokenFile(env);
      // Without the SDK's own timer: it ends nothing and writes to the console. attemptMs ends the attempt.
      return fromHttp({ timeout: 0, maxRetries: 0, logger: SILENT })();
    },
    classify: (error) => failureOf(error, name),
  };
}

function checkTokenFile(env: Environment): void {
  const file = env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];
  if (file === undefined || file === "") return;
  try {
    readFileSync(file);
  } catch (error) {
    throw new SealexecError("config", `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: ${file} cannot be read`, {
      hint: "mount the service account's token where this user can read it",
      cause: error,
    });
  }
}

function failureOf(error: unknown, name: string): Failure {
  if (error instanceof SealexecError) return { error };
  const status = /Server responded with status: (\d{3})/.exec(
    error instanceof Error ? error.message : "",
  )?.[1];
  if (status !== undefined && status.startsWith("4") && status !== "429") {
    return {
      error: new SealexecError("denied", `${name}: the agent refused to give credentials (${status})`, {
        hint: "check that the task or the service account has a role",
        cause: error,
      }),
    };
  }
  if (error instanceof Error && /not accepted|is not valid|not a valid|Invalid URL/i.test(error.message)) {
    return {
      error: new SealexecError("config", `${name}: the address of the agent is not one that may be asked`, {
        hint: "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https:, loopback or the agent's link-local address",
        cause: error,
      }),
    };
  }
  const details = status === undefined ? "" : ` (${status})`;
  return {
    error: new SealexecError("unavailable", `${name}: the agent gives no answer that can be used${details}`, {
      hint: "check that the agent runs and that its link-local address is reachable from this container",
      cause: error,
    }),
    transient: "unreachable",
  };
}
