/** A URI as each store reads it. */
import {
  DIR_GRAMMAR,
  ENV_FILE_GRAMMAR,
  JSON_FILE_GRAMMAR,
  dirRef,
  envFileRef,
  jsonFileRef,
} from "../../../src/stores/mounted/ref.ts";
import type { DirRef, EnvFileRef, JsonFileRef } from "../../../src/stores/mounted/ref.ts";
import { S3_GRAMMAR, s3Ref } from "../../../src/stores/s3/ref.ts";
import type { S3Ref } from "../../../src/stores/s3/ref.ts";
import { SEALED_FILE_GRAMMAR, sealedFileRef } from "../../../src/stores/sealed-file/ref.ts";
import type { SealedFileRef } from "../../../src/stores/sealed-file/ref.ts";
import { SECRET_GRAMMAR, secretRef } from "../../../src/stores/secrets-manager/ref.ts";
import type { SecretRef } from "../../../src/stores/secrets-manager/ref.ts";
import { SSM_GRAMMAR, ssmRef } from "../../../src/stores/ssm/ref.ts";
import type { SsmRef } from "../../../src/stores/ssm/ref.ts";
import { parseUri } from "../../../src/stores/uri.ts";
import type { Grammar } from "../../../src/stores/uri.ts";
import { VAULT_GRAMMAR, vaultRef } from "../../../src/stores/vault/ref.ts";
import type { VaultRef } from "../../../src/stores/vault/ref.ts";

export const parseS3Uri = (uri: string): S3Ref => s3Ref(parseUri(uri, S3_GRAMMAR));
export const parseSealedFileUri = (uri: string): SealedFileRef =>
  sealedFileRef(parseUri(uri, SEALED_FILE_GRAMMAR));
export const parseSecretUri = (uri: string): SecretRef => secretRef(parseUri(uri, SECRET_GRAMMAR));
export const parseSsmUri = (uri: string): SsmRef => ssmRef(parseUri(uri, SSM_GRAMMAR));
export const parseVaultUri = (uri: string): VaultRef => vaultRef(parseUri(uri, VAULT_GRAMMAR));

export function parseMountedUri(
  uri: string,
): { readonly scheme: string } & (EnvFileRef | DirRef | JsonFileRef) {
  if (uri.startsWith("dir:")) return { scheme: "dir", ...dirRef(parseUri(uri, DIR_GRAMMAR)) };
  if (uri.startsWith("json-file:"))
    return { scheme: "json-file", ...jsonFileRef(parseUri(uri, JSON_FILE_GRAMMAR)) };
  return { scheme: "env-file", ...envFileRef(parseUri(uri, ENV_FILE_GRAMMAR)) };
}

export const GRAMMARS: readonly Grammar[] = [
  S3_GRAMMAR,
  SEALED_FILE_GRAMMAR,
  SECRET_GRAMMAR,
  SSM_GRAMMAR,
  VAULT_GRAMMAR,
  ENV_FILE_GRAMMAR,
  DIR_GRAMMAR,
  JSON_FILE_GRAMMAR,
];
