/** `sealexec push` to a sealed file: under a local key, or a key of KMS; never over what was not expected. */
import { step } from "../../context.ts";
import type { Context } from "../../context.ts";
import { writerContext } from "../../envelope/index.ts";
import { SealexecError } from "../../errors.ts";
import { localKeyPath } from "../../key-name.ts";
import { words } from "../../names.ts";
import { parseContext } from "../../stores/sealed-options.ts";
import { formatSealedFileUri, parseSealedFileUri, sealedFilePlace } from "../../stores/sealed-file/ref.ts";
import type { SealedFileRef } from "../../stores/sealed-file/ref.ts";
import { SEALED_FILE_NEED } from "../../stores/sealed-file/store.ts";
import { readTextRevision, writeSealedFile } from "../../stores/sealed-file/write.ts";
import type { ExpectedText } from "../../stores/sealed-file/write.ts";
import type { PushFlags } from "../push.ts";
import {
  TAG_BYTES,
  chosenKey,
  quotedEtag,
  sealUnderKms,
  sealUnderLocalKey,
  sealedDialect,
} from "../sealing.ts";
import type { Sealed } from "../sealing.ts";
import { openTools } from "../target.ts";
import type { Target } from "../target.ts";

const LARGEST_BODY_BYTES = 4 * 1024 * 1024;

export function sealedFileTarget(uri: string, flags: PushFlags, context: Context): Target {
  const ref = parseSealedFileUri(uri);
  const key = chosenKey(flags, context);
  const userContext = parseContext(flags.context ?? words(context.env["SEALEXEC_CONTEXT"], /,/));
  const path = localKeyPath(key);
  if (flags.format !== "v3") throw new SealexecError("usage", "--format: a sealed file is v3");
  if (flags.revision !== undefined)
    throw new SealexecError("usage", "--revision: a sealed file has none: version control orders it");
  const place = flags.bind ? sealedFilePlace(ref) : undefined;
  const dialect = sealedDialect(ref.dialect);
  const encryptionContext = writerContext("v3", userContext, place, undefined, dialect);
  const seal = (plaintext: Uint8Array): Promise<Sealed> => {
    if (path !== undefined) {
      return step(context, "key", key, () => sealUnderLocalKey(plaintext, path, encryptionContext));
    }
    return byKms(
      plaintext,
      { key, format: "v3", encryptionContext, located: SEALED_FILE_NEED },
      flags,
      context,
    );
  };
  const name = formatSealedFileUri(ref);
  return {
    largestBytes: LARGEST_BODY_BYTES - TAG_BYTES,
    ...(ref.dialect === undefined ? {} : { dialect: ref.dialect }),
    write: async ({ plaintext, variables }) => {
      const expected = await step(context, "object", name, () => expectedText(ref, flags));
      const sealed = await seal(plaintext);
      const etag = await step(context, "object", name, () => writeSealedFile(ref, sealed, expected));
      return [
        ["sealed", name],
        ["etag", etag],
        ["format", "v3"],
        ["key", sealed.key],
        ["variables", String(variables.size)],
      ];
    },
  };
}

async function byKms(
  plaintext: Uint8Array,
  sealing: Parameters<typeof sealUnderKms>[1],
  flags: PushFlags,
  context: Context,
): Promise<Sealed> {
  const { session } = openTools(sealing.key, flags, context);
  await session.begin([SEALED_FILE_NEED], "writing");
  return sealUnderKms(plaintext, sealing, session, context);
}

function expectedText(ref: SealedFileRef, flags: PushFlags): ExpectedText {
  if (flags.create === true) return { kind: "absent" };
  if (flags.ifMatch !== undefined) return { kind: "etag", etag: quotedEtag(flags.ifMatch) };
  return readTextRevision(ref);
}
