import type { Store, StoreSource } from "../source.ts";
import { changedVersion, readSecret, secretNeed } from "./read.ts";
import { formatSecretUri, parseSecretUri } from "./ref.ts";
import type { SecretRef } from "./ref.ts";

/** Secrets of AWS Secrets Manager: `secretsmanager://NAME-or-ARN[?…][#KEY]`. */
export const store: Store = { parse: (uri) => secretSource(parseSecretUri(uri)) };

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
