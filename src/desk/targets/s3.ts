/** `sealexec push` to S3: sealed on this machine, and never over somebody else's change. */
import type { AwsSession } from "../../aws/session.ts";
import { step } from "../../context.ts";
import type { Context } from "../../context.ts";
import { writerContext } from "../../envelope/index.ts";
import { SealexecError } from "../../errors.ts";
import { localKeyPath } from "../../key-name.ts";
import { parseContext, words } from "../../options.ts";
import { LARGEST_OBJECT_BYTES } from "../../stores/s3/read.ts";
import { parseS3Uri, placeOf } from "../../stores/s3/ref.ts";
import type { S3Ref } from "../../stores/s3/ref.ts";
import { s3Need } from "../../stores/s3/store.ts";
import { readRevision, writeObject } from "../../stores/s3/write.ts";
import type { Expected } from "../../stores/s3/write.ts";
import type { PushFlags } from "../push.ts";
import { TAG_BYTES, chosenKey, quotedEtag, sealUnderKms } from "../sealing.ts";
import { openTools } from "../target.ts";
import type { CheckedFile, Fact, Target } from "../target.ts";

export function s3Target(uri: string, flags: PushFlags, context: Context): Target {
  const ref = parseTarget(uri);
  const key = kmsKey(flags, context);
  const userContext = parseContext(flags.context ?? words(context.env["SEALEXEC_CONTEXT"], /,/));
  const encryptionContext = writerContext(flags.format, userContext, flags.bind ? placeOf(ref) : undefined);
  return {
    largestBytes: LARGEST_OBJECT_BYTES - TAG_BYTES,
    ...(ref.dialect === undefined ? {} : { dialect: ref.dialect }),
    write: (file) => sealAndWrite({ ref, key, encryptionContext, flags }, file, context),
  };
}

interface Sealing {
  readonly ref: S3Ref;
  readonly key: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly flags: PushFlags;
}

async function sealAndWrite(
  { ref, key, encryptionContext, flags }: Sealing,
  { plaintext, variables }: CheckedFile,
  context: Context,
): Promise<readonly Fact[]> {
  const { session } = openTools(key, flags, context);
  await session.begin([s3Need(ref)], "writing");
  const place = placeOf(ref);
  // Read before sealing: a change that comes in between is somebody else's.
  const expected = await step(context, "object", place, () => expectedRevision(ref, flags, session, context));
  const sealing = { key, format: flags.format, encryptionContext, located: s3Need(ref) };
  const sealed = await sealUnderKms(plaintext, sealing, session, context);
  const revision = await step(context, "object", place, () =>
    writeObject(ref, sealed, expected, session, context),
  );
  return [
    ["sealed", place],
    ["version", revision.versionId ?? "none: the bucket is not versioned"],
    ["etag", revision.etag ?? "none"],
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

function expectedRevision(
  ref: S3Ref,
  flags: PushFlags,
  session: AwsSession,
  context: Context,
): Expected | Promise<Expected> {
  if (flags.create === true) return { kind: "absent" };
  if (flags.ifMatch !== undefined) return { kind: "etag", etag: quotedEtag(flags.ifMatch) };
  return readRevision(ref, session, context);
}
