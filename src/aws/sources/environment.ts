import { fromEnv } from "@aws-sdk/credential-providers";
import type { Environment } from "../../context.ts";
import { SealexecError } from "../../errors.ts";
import { isSet } from "../credentials.ts";
import type { CredentialSource } from "../credentials.ts";
import { classify } from "../failure.ts";

/** AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. */
export function environmentSource(env: Environment): CredentialSource {
  return {
    name: "environment",
    attemptMs: 1_000,
    load: async () => {
      for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) {
        if (!isSet(env, name)) {
          throw new SealexecError("config", `${name} is missing beside its other half`, {
            hint: "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither",
          });
        }
      }
      return fromEnv()();
    },
    classify: (error) => classify("environment", error),
  };
}
