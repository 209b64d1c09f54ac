import type { Environment } from "../../base/env.ts";
import { SealexecError } from "../../base/errors.ts";
import { classify } from "../call/failure.ts";
import type { CredentialSource } from "./source.ts";

export function environmentSource(env: Environment): CredentialSource {
  return {
    name: "environment",
    attemptMs: 1_000,
    load: async () => {
      const sessionToken = env["AWS_SESSION_TOKEN"] ?? "";
      return {
        accessKeyId: half(env, "AWS_ACCESS_KEY_ID"),
        secretAccessKey: half(env, "AWS_SECRET_ACCESS_KEY"),
        ...(sessionToken === "" ? {} : { sessionToken }),
      };
    },
    classify: (error) => classify("environment", error),
  };
}

function half(env: Environment, name: string): string {
  const value = env[name];
  if (value !== undefined && value !== "") return value;
  throw new SealexecError("config", `${name} is missing beside its other half`, {
    hint: "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither",
  });
}
