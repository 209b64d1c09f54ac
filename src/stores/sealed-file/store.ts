import { directService } from "../../aws/endpoint.ts";
import { defined } from "../../base/defined.ts";
import type { AwsNeed } from "../../aws/session.ts";
import { dirname } from "node:path";
import type { Store, StoreSource } from "../source.ts";
import { readSealedFile, sealedFileState } from "./read.ts";
import { SEALED_FILE_GRAMMAR, formatSealedFileUri, sealedFilePlace, sealedFileRef } from "./ref.ts";
import type { SealedFileRef } from "./ref.ts";

/** What opening a sealed file wants of AWS, if its key is one of KMS. */
export const SEALED_FILE_NEED: AwsNeed = {
  home: "KMS",
  onlyKms: true,
  urls: (_region, kmsRegion, env) => [directService("kms", kmsRegion, env)],
};

/** Sealed files. They are bound to their name, as their path is another in each clone. */
export const sealedFile: Store = {
  grammar: SEALED_FILE_GRAMMAR,
  source: (parsed) => sealedFileSource(sealedFileRef(parsed)),
};

export function sealedFileSource(ref: SealedFileRef): StoreSource {
  return {
    uri: formatSealedFileUri(ref),
    gives: "sealed",
    ...defined({ dialect: ref.dialect }),
    aws: SEALED_FILE_NEED,
    read: async () => {
      // Before it is read: what comes in between is a change.
      const validator = sealedFileState(ref.path);
      const sealed = { ...readSealedFile(ref.path), place: sealedFilePlace(ref), located: SEALED_FILE_NEED };
      return { kind: "sealed", sealed, validator };
    },
    look: async (validator) => {
      const now = sealedFileState(ref.path);
      return now === validator ? undefined : now;
    },
    folders: [dirname(ref.path)],
  };
}
