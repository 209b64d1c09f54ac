import type { Store, StoreSource } from "../source.ts";
import { changedVersion, readSecret, secretNeed } from "./read.ts";
import { SECRET_GRAMMAR, formatSecretUri, secretRef } from "./ref.ts";
import type { SecretRef } from "./ref.ts";

/** Secrets of AWS Secrets Manager. */
export const secretsManager: Store = {
  grammar: SECRET_GRAMMAR,
  source: (parsed) => secretSource(secretRef(parsed)),
};

function secretSource(ref: SecretRef): StoreSource {
  const { reading } = ref;
  return {
    uri: formatSecretUri(ref),
    gives: ref.reading.as === "text" ? "text" : "variables",
    aws: secretNeed(ref),
    ...(reading.as === "text" ? { dialect: reading.dialect } : {}),
    read: (tools) => readSecret(ref, tools),
    ...(ref.versionId === undefined
      ? { look: (versionId, tools) => changedVersion(ref, versionId, tools) }
      : {}),
  };
}
