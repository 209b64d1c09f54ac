/** `sealexec push` to a sealed file: under a local key, or a key of KMS; never over what was not expected. */
import { step } from "../../base/context.ts";
import { defined } from "../../base/defined.ts";
import { SealexecError } from "../../base/errors.ts";
import { needsAws } from "../../keys/key.ts";
import { findSealedFile } from "../../stores/sealed-file/find.ts";
import {
  SEALED_FILE_GRAMMAR,
  formatSealedFileUri,
  sealedFilePlace,
  sealedFileRef,
} from "../../stores/sealed-file/ref.ts";
import type { SealedFileRef } from "../../stores/sealed-file/ref.ts";
import { SEALED_FILE_NEED } from "../../stores/sealed-file/store.ts";
import { writeSealedFile } from "../../stores/sealed-file/write.ts";
import type { ExpectedText } from "../../stores/sealed-file/write.ts";
import { RunTools } from "../../sources/tools.ts";
import { TAG_BYTES, sealUnder } from "../../keys/seal.ts";
import type { CheckedFile, Look, TargetStore, Written } from "../target.ts";
import { nextRevision, openFound, sealedJob } from "./sealed.ts";
import type { SealedJob } from "./sealed.ts";

const LARGEST_BODY_BYTES = 4 * 1024 * 1024;

interface Job extends SealedJob {
  readonly ref: SealedFileRef;
}

export const sealedFile: TargetStore = {
  grammar: SEALED_FILE_GRAMMAR,
  target: (parsed, options, context) => {
    const ref = sealedFileRef(parsed);
    const name = formatSealedFileUri(ref);
    const job = { ...sealedJob(name, sealedFilePlace(ref), ref.dialect, options), ref };
    if (options.format !== "v3") throw new SealexecError("usage", "--format: a sealed file is v3");
    return {
      name,
      noun: "file",
      largestBytes: LARGEST_BODY_BYTES - TAG_BYTES,
      ...defined({ dialect: ref.dialect }),
      look: (file) => look(job, file, new RunTools(context, job.key, options.credentials)),
    };
  },
};

async function look(job: Job, file: CheckedFile, tools: RunTools): Promise<Look> {
  const { ref, name, key } = job;
  const found = await step(tools.context, "object", name, () => findSealedFile(ref, tools));
  if (needsAws(key)) await tools.session.begin([SEALED_FILE_NEED], "writing");
  const { present, before } = await openFound(found, job, file, tools);
  const expected: ExpectedText = found.kind === "absent" ? found : { kind: "etag", etag: found.etag };
  return { present, write: () => sealAndWrite(job, file, { expected, before }, tools) };
}

async function sealAndWrite(
  job: Job,
  { plaintext, variables }: CheckedFile,
  seen: { readonly expected: ExpectedText; readonly before: number | undefined },
  tools: RunTools,
): Promise<Written> {
  const { ref, name, key } = job;
  const { context } = tools;
  // A file has no clock but this machine's.
  const moment = { local: Date.now(), store: undefined };
  const { revision, encryptionContext } = await step(context, "object", name, () =>
    nextRevision(job, seen.before, moment, context),
  );
  const sealing = { key, format: "v3", encryptionContext, located: SEALED_FILE_NEED } as const;
  const sealed = await sealUnder(sealing, plaintext, tools);
  const etag = await step(context, "object", name, () => writeSealedFile(ref, sealed, seen.expected));
  return {
    state: { etag, revision, format: "v3", key: sealed.key },
    facts: [
      ["sealed", name],
      ["etag", etag],
      ["revision", String(revision ?? "none")],
      ["format", "v3"],
      ["key", sealed.key],
      ["variables", String(variables.size)],
    ],
  };
}
