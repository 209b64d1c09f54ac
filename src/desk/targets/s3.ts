/** `sealexec push` to S3: sealed on this machine, and never over somebody else's change. */
import type { AwsSession } from "../../aws/session.ts";
import { step } from "../../context.ts";
import type { Context } from "../../context.ts";
import { claimedRevision, parseRevision, writerContext } from "../../envelope/index.ts";
import { SealexecError } from "../../errors.ts";
import { localKeyPath } from "../../key-name.ts";
import { words } from "../../names.ts";
import { parseContext } from "../../options.ts";
import { LARGEST_OBJECT_BYTES } from "../../stores/s3/read.ts";
import { parseS3Uri, placeOf } from "../../stores/s3/ref.ts";
import type { S3Ref } from "../../stores/s3/ref.ts";
import { s3Need } from "../../stores/s3/store.ts";
import { findObject, writeObject } from "../../stores/s3/write.ts";
import type { Expected } from "../../stores/s3/write.ts";
import type { PushFlags } from "../push.ts";
import { TAG_BYTES, chosenKey, quotedEtag, sealUnderKms, sealedDialect } from "../sealing.ts";
import { openTools } from "../target.ts";
import type { CheckedFile, Fact, Target } from "../target.ts";

export function s3Target(uri: string, flags: PushFlags, context: Context): Target {
  const ref = parseTarget(uri);
  const key = kmsKey(flags, context);
  const userContext = parseContext(flags.context ?? words(context.env["SEALEXEC_CONTEXT"], /,/));
  const revision = givenRevision(flags);
  return {
    largestBytes: LARGEST_OBJECT_BYTES - TAG_BYTES,
    ...(ref.dialect === undefined ? {} : { dialect: ref.dialect }),
    write: (file) => sealAndWrite({ ref, key, userContext, revision, flags }, file, context),
  };
}

interface Sealing {
  readonly ref: S3Ref;
  readonly key: string;
  readonly userContext: Readonly<Record<string, string>>;
  /** the one asked for; undefined: the next one */
  readonly revision: number | undefined;
  readonly flags: PushFlags;
}

async function sealAndWrite(
  sealing: Sealing,
  { plaintext, variables }: CheckedFile,
  context: Context,
): Promise<readonly Fact[]> {
  const { ref, key, userContext, flags } = sealing;
  const { session } = openTools(key, flags, context);
  await session.begin([s3Need(ref)], "writing");
  const place = placeOf(ref);
  // Looked at before sealing: a change that comes in between is somebody else's.
  const { expected, revision } = await step(context, "object", place, () => look(sealing, session, context));
  const bound = flags.bind ? { place, revision } : undefined;
  const dialect = sealedDialect(ref.dialect);
  const encryptionContext = writerContext(flags.format, userContext, bound?.place, bound?.revision, dialect);
  const how = { key, format: flags.format, encryptionContext, located: s3Need(ref) };
  const sealed = await sealUnderKms(plaintext, how, session, context);
  const written = await step(context, "object", place, () =>
    writeObject(ref, sealed, expected, session, context),
  );
  return [
    ["sealed", place],
    ["version", written.versionId ?? "none: the bucket is not versioned"],
    ["etag", written.etag ?? "none"],
    ["revision", String(bound?.revision ?? "none")],
    ["format", flags.format],
    ["key", sealed.key],
    ["variables", String(variables.size)],
  ];
}

function parseTarget(uri: string): S3Ref {
  const ref = parseS3Uri(uri);
  if (ref.versionId === undefined) return ref;
  throw new SealexecError("usage", "a push makes a new version: the URI may not name one");
}

// A local key has no encryption context, and so no binding to the object's place.
function kmsKey(flags: PushFlags, context: Context): string {
  const key = chosenKey(flags, context);
  if (localKeyPath(key) === undefined) return key;
  throw new SealexecError("usage", "--key: a local key is for sealed files (file:PATH), not for S3", {
    hint: "name a key of KMS: its id, ARN or alias",
  });
}

/** What must be there for the write to take place, and the revision to write: the one asked for, or the next one. */
async function look(
  { ref, revision, flags }: Sealing,
  session: AwsSession,
  context: Context,
): Promise<{ readonly expected: Expected; readonly revision: number | undefined }> {
  if (flags.create === true) return { expected: { kind: "absent" }, revision: revision ?? 1 };
  const named: Expected | undefined =
    flags.ifMatch === undefined ? undefined : { kind: "etag", etag: quotedEtag(flags.ifMatch) };
  if (named !== undefined && (revision !== undefined || !flags.bind)) return { expected: named, revision };
  const found = await findObject(ref, session, context).catch((error: unknown) => {
    if (named === undefined || !(error instanceof SealexecError) || error.kind !== "denied") throw error;
    return undefined;
  });
  if (found === undefined) {
    context.log.warn(`${placeOf(ref)}: what is there cannot be looked at: the new object has no revision`);
    return { expected: named ?? { kind: "absent" }, revision: undefined };
  }
  const before = found.kind === "absent" ? 0 : (claimedRevision(found.metadata) ?? 0);
  if (revision !== undefined && revision <= before) {
    throw new SealexecError("data", `what is there is revision ${before} already`, {
      hint: "leave --revision out for the next one; who has seen a newer one would refuse an older",
    });
  }
  return { expected: named ?? found, revision: revision ?? before + 1 };
}

function givenRevision({ revision, bind }: PushFlags): number | undefined {
  if (revision === undefined) return undefined;
  if (!bind) throw new SealexecError("usage", "--revision: an object that is not bound has none");
  const parsed = parseRevision(revision);
  if (parsed !== undefined) return parsed;
  throw new SealexecError("usage", "--revision is not a number from 1");
}
