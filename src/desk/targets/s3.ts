/** `sealexec push` to S3: sealed on this machine, and never over somebody else's change. */
import { AwsSession } from "../../aws/session.ts";
import { step } from "../../context.ts";
import type { Context } from "../../context.ts";
import { seal, writerContext } from "../../envelope/index.ts";
import { SealexecError } from "../../errors.ts";
import { generateDataKey } from "../../kms/generate.ts";
import { parseContext, words } from "../../options.ts";
import { LARGEST_OBJECT_BYTES } from "../../stores/s3/read.ts";
import { parseS3Uri, placeOf } from "../../stores/s3/ref.ts";
import type { S3Ref } from "../../stores/s3/ref.ts";
import { s3Need } from "../../stores/s3/store.ts";
import { readRevision, writeObject } from "../../stores/s3/write.ts";
import type { Expected } from "../../stores/s3/write.ts";
import type { PushFlags } from "../push.ts";
import { keyOf } from "../target.ts";
import type { CheckedFile, Fact, Target } from "../target.ts";

/** The tag of AES-GCM, bytes. */
const TAG_BYTES = 16;

export function s3Target(uri: string, flags: PushFlags, context: Context): Target {
  const ref = parseTarget(uri);
  const key = chosenKey(flags, context);
  const userContext = parseContext(flags.context ?? words(context.env["SEALEXEC_CONTEXT"], /,/));
  const encryptionContext = writerContext(flags.format, userContext, flags.bind ? placeOf(ref) : undefined);
  return {
    largestBytes: LARGEST_OBJECT_BYTES - TAG_BYTES,
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
  const session = new AwsSession(context, key);
  await session.begin([s3Need(ref)], "writing");
  const place = placeOf(ref);
  // Read before sealing: a change that comes in between is somebody else's.
  const expected = await step(context, "object", place, () => expectedRevision(ref, flags, session, context));
  const dataKey = await step(context, "key", key, () =>
    generateDataKey(key, encryptionContext, s3Need(ref), session, context),
  );
  const sealed = seal(flags.format, {
    plaintext,
    dataKey: dataKey.plaintext,
    wrappedKey: dataKey.wrapped,
    encryptionContext,
  });
  dataKey.plaintext.fill(0);
  plaintext.fill(0);
  const revision = await step(context, "object", place, () =>
    writeObject(ref, sealed, expected, session, context),
  );
  return [
    ["sealed", place],
    ["version", revision.versionId ?? "none: the bucket is not versioned"],
    ["etag", revision.etag ?? "none"],
    ["format", flags.format],
    ["key", dataKey.keyArn],
    ["variables", String(variables.size)],
  ];
}

function parseTarget(uri: string): S3Ref {
  const ref = parseS3Uri(uri);
  if (ref.versionId === undefined) return ref;
  throw new SealexecError("usage", "a push makes a new version: the URI may not name one");
}

function chosenKey(flags: PushFlags, context: Context): string {
  const key = keyOf(flags, context);
  if (key !== undefined) return key;
  throw new SealexecError("usage", "no key: give --key KEY or set SEALEXEC_KEY", {
    hint: "a KMS key id, ARN or alias, such as alias/my-app",
  });
}

function expectedRevision(
  ref: S3Ref,
  flags: PushFlags,
  session: AwsSession,
  context: Context,
): Expected | Promise<Expected> {
  if (flags.create === true) return { kind: "absent" };
  if (flags.ifMatch !== undefined) return { kind: "etag", etag: quoted(flags.ifMatch) };
  return readRevision(ref, session, context);
}

// RFC 9110, section 8.8.3: an entity tag has quotes around it; people copy it without.
function quoted(etag: string): string {
  const bare = etag.replace(/^"|"$/g, "");
  if (/^[\x21\x23-\x7e]+$/.test(bare)) return `"${bare}"`;
  throw new SealexecError("usage", "--if-match is not an ETag", {
    hint: "push prints the ETag of each version",
  });
}
