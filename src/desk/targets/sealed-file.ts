/** `sealexec push` to a sealed file: under a local key, or a key of KMS; never over what was not expected. */
import { SealexecError } from "../../base/errors.ts";
import {
  SEALED_FILE_GRAMMAR,
  formatSealedFileUri,
  sealedFilePlace,
  sealedFileRef,
} from "../../stores/sealed-file/ref.ts";
import { SEALED_FILE_NEED } from "../../stores/sealed-file/store.ts";
import { findSealedFile, writeSealedFile, type ExpectedText } from "../../stores/sealed-file/write.ts";
import type { TargetStore } from "../target.ts";
import { sealedTarget, type FoundSealed } from "./sealed.ts";

const LARGEST_BODY_BYTES = 4 * 1024 * 1024;

export const sealedFile: TargetStore = {
  grammar: SEALED_FILE_GRAMMAR,
  target: (parsed, options, context) => {
    const ref = sealedFileRef(parsed);
    const target = sealedTarget(
      {
        name: formatSealedFileUri(ref),
        noun: "file",
        binding: sealedFilePlace(ref),
        dialect: ref.dialect,
        largestBodyBytes: LARGEST_BODY_BYTES,
        need: SEALED_FILE_NEED,
        isHere: true,
        find: (tools) => findSealedFile(ref, tools),
        write: async (sealed, found) => ({ etag: writeSealedFile(ref, sealed, expectedOf(found)) }),
      },
      options,
      context,
    );
    if (options.format !== "v3") throw new SealexecError("usage", "--format: a sealed file is v3");
    return target;
  },
};

function expectedOf(found: FoundSealed): ExpectedText {
  return found.kind === "there" || found.kind === "unreadable"
    ? { kind: "etag", etag: found.etag }
    : { kind: "absent" };
}
