/** `sealexec push` to S3: sealed on this machine, and never over somebody else's change. */
import { step } from "../../base/context.ts";
import type { Context } from "../../base/context.ts";
import { SealexecError } from "../../base/errors.ts";
import type { Key } from "../../keys/key.ts";
import { needsAws } from "../../keys/key.ts";
import { findObject } from "../../stores/s3/find.ts";
import type { Found } from "../../stores/s3/find.ts";
import { LARGEST_OBJECT_BYTES } from "../../stores/s3/read.ts";
import { parseS3Uri, placeOf } from "../../stores/s3/ref.ts";
import type { S3Ref } from "../../stores/s3/ref.ts";
import { s3Need } from "../../stores/s3/store.ts";
import { writeObject } from "../../stores/s3/write.ts";
import type { Expected } from "../../stores/s3/write.ts";
import type { RunTools } from "../../sources/tools.ts";
import { quotedEtag } from "../permission.ts";
import type { PushFlags } from "../push-flags.ts";
import type { Moment } from "../revision.ts";
import { TAG_BYTES, sealUnder } from "../../keys/seal.ts";
import { openTools } from "../sealing-flags.ts";
import type { CheckedFile, Look, Target, Written } from "../target.ts";
import { nextRevision, openFound, sealedJob } from "./sealed.ts";
import type { SealedJob } from "./sealed.ts";

interface Job extends SealedJob {
  readonly ref: S3Ref;
}

export function s3Target(uri: string, flags: PushFlags, context: Context): Target {
  const ref = parseTarget(uri);
  const name = placeOf(ref);
  const job = { ...sealedJob(name, name, ref.dialect, flags, context), ref };
  refuseLocalKey(job.key);
  return {
    name,
    noun: "object",
    largestBytes: LARGEST_OBJECT_BYTES - TAG_BYTES,
    ...(ref.dialect === undefined ? {} : { dialect: ref.dialect }),
    look: (file) => look(job, file, openTools(job.key, flags, context)),
  };
}

async function look(job: Job, file: CheckedFile, tools: RunTools): Promise<Look> {
  const { ref, name, flags } = job;
  await tools.session.begin([s3Need(ref)], "writing");
  // Looked at before sealing: a change that comes in between is somebody else's.
  const found = await step(tools.context, "object", name, () => findObject(ref, tools));
  const moment: Moment = { local: Date.now(), store: found.date };
  const { present, before } = await openFound(found, job, file, tools);
  return {
    present,
    write: () => sealAndWrite(job, file, { expected: expectedOf(found, flags), before, moment }, tools),
  };
}

function expectedOf(found: Found, { create, ifMatch }: PushFlags): Expected {
  if (found.kind === "there" || found.kind === "unreadable") return { kind: "etag", etag: found.etag };
  if (ifMatch === undefined || create === true) return { kind: "absent" };
  return { kind: "etag", etag: quotedEtag(ifMatch) };
}

async function sealAndWrite(
  job: Job,
  { plaintext, variables }: CheckedFile,
  seen: { readonly expected: Expected; readonly before: number | undefined; readonly moment: Moment },
  { session, context }: RunTools,
): Promise<Written> {
  const { ref, name, key, flags } = job;
  const { format } = flags;
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

function parseTarget(uri: string): S3Ref {
  const ref = parseS3Uri(uri);
  if (ref.versionId === undefined) return ref;
  throw new SealexecError("usage", "a push makes a new version: the URI may not name one");
}

// S3 is for machines, which open by KMS.
function refuseLocalKey(key: Key): void {
  if (needsAws(key)) return;
  throw new SealexecError("usage", "--key: a local key is for sealed files (file:PATH), not for S3", {
    hint: "name a key of KMS: its id, ARN or alias",
  });
}
