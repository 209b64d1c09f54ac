/** `sealexec push` to S3: sealed on this machine, and never over somebody else's change. */
import { step } from "../../base/context.ts";
import { defined } from "../../base/defined.ts";
import { SealexecError } from "../../base/errors.ts";
import type { Key } from "../../keys/key.ts";
import { needsAws } from "../../keys/key.ts";
import { findObject } from "../../stores/s3/find.ts";
import type { Found } from "../../stores/s3/find.ts";
import { LARGEST_OBJECT_BYTES } from "../../stores/s3/read.ts";
import { S3_GRAMMAR, placeOf, s3Ref } from "../../stores/s3/ref.ts";
import type { S3Ref } from "../../stores/s3/ref.ts";
import { s3Need } from "../../stores/s3/store.ts";
import { writeObject } from "../../stores/s3/write.ts";
import type { Expected } from "../../stores/s3/write.ts";
import { RunTools } from "../../sources/tools.ts";
import type { Moment } from "../revision.ts";
import { TAG_BYTES, sealUnder } from "../../keys/seal.ts";
import type { CheckedFile, Look, PushOptions, TargetStore, Written } from "../target.ts";
import { nextRevision, openFound, sealedJob } from "./sealed.ts";
import type { SealedJob } from "./sealed.ts";

interface Job extends SealedJob {
  readonly ref: S3Ref;
}

export const s3: TargetStore = {
  grammar: S3_GRAMMAR,
  target: (parsed, options, context) => {
    const ref = s3Ref(parsed);
    if (ref.versionId !== undefined)
      throw new SealexecError("usage", "a push makes a new version: the URI may not name one");
    const name = placeOf(ref);
    const job = { ...sealedJob(name, name, ref.dialect, options), ref };
    refuseLocalKey(job.key);
    return {
      name,
      noun: "object",
      largestBytes: LARGEST_OBJECT_BYTES - TAG_BYTES,
      ...defined({ dialect: ref.dialect }),
      look: (file) => look(job, file, new RunTools(context, job.key, options.credentials)),
    };
  },
};

async function look(job: Job, file: CheckedFile, tools: RunTools): Promise<Look> {
  const { ref, name, options } = job;
  await tools.session.begin([s3Need(ref)], "writing");
  // Looked at before sealing: a change that comes in between is somebody else's.
  const found = await step(tools.context, "object", name, () => findObject(ref, tools));
  const moment: Moment = { local: Date.now(), store: found.date };
  const { present, before } = await openFound(found, job, file, tools);
  return {
    present,
    write: () => sealAndWrite(job, file, { expected: expectedOf(found, options), before, moment }, tools),
  };
}

function expectedOf(found: Found, { create, ifMatch }: PushOptions): Expected {
  if (found.kind === "there" || found.kind === "unreadable") return { kind: "etag", etag: found.etag };
  return ifMatch === undefined || create ? { kind: "absent" } : { kind: "etag", etag: ifMatch };
}

async function sealAndWrite(
  job: Job,
  { plaintext, variables }: CheckedFile,
  seen: { readonly expected: Expected; readonly before: number | undefined; readonly moment: Moment },
  { session, context }: RunTools,
): Promise<Written> {
  const { ref, name, key, options } = job;
  const { format } = options;
  const { revision, encryptionContext } = await step(context, "object", name, () =>
    nextRevision(job, seen.before, seen.moment, context),
  );
  const sealing = { key, format, encryptionContext, located: s3Need(ref) };
  const sealed = await sealUnder(sealing, plaintext, { session, context });
  const { versionId, etag } = await step(context, "object", name, () =>
    writeObject(ref, sealed, seen.expected, session, context),
  );
  return {
    state: { version: versionId, etag, revision, format, key: sealed.key },
    facts: [
      ["sealed", name],
      ["version", versionId ?? "none: the bucket is not versioned"],
      ["etag", etag ?? "none"],
      ["revision", String(revision ?? "none")],
      ["format", format],
      ["key", sealed.key],
      ["variables", String(variables.size)],
    ],
  };
}

// S3 is for machines, which open by KMS.
function refuseLocalKey(key: Key): void {
  if (needsAws(key)) return;
  throw new SealexecError("usage", "--key: a local key is for sealed files (file:PATH), not for S3", {
    hint: "name a key of KMS: its id, ARN or alias",
  });
}
