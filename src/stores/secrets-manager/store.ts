import type { Store } from "../source.ts";
import { changedVersion, readSecret, secretNeed } from "./read.ts";
import { SECRET_GRAMMAR, formatSecretUri, secretRef } from "./ref.ts";

/** Secrets of AWS Secrets Manager. */
export const secretsManager: Store = {
  grammar: SECRET_GRAMMAR,
  source: (parsed) => {
    const ref = secretRef(parsed);
    const { reading, versionId } = ref;
    return {
      uri: formatSecretUri(ref),
      aws: secretNeed(ref),
      ...(reading.as === "text" ? { gives: "text", dialect: reading.dialect } : { gives: "variables" }),
      read: (tools) => readSecret(ref, tools),
      ...(versionId === undefined
        ? { look: (validator, tools) => changedVersion(ref, validator, tools) }
        : {}),
    };
  },
};
