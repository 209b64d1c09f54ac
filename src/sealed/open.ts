/** Opening one sealed source: the way that `run`, `check` and `pull` share, so that none can be laxer than another. */
import { step } from "../context.ts";
import type { Context } from "../context.ts";
import type { AwsSession } from "../aws/session.ts";
import { SealexecError } from "../errors.ts";
import { checkContext, openEnvelope, readEnvelope } from "../envelope/index.ts";
import type { Acceptance, EncryptionContext, Envelope, Reading } from "../envelope/index.ts";
import { decryptDataKey } from "../kms/decrypt.ts";
import { formatS3Uri, placeOf } from "../stores/s3/ref.ts";
import type { S3Ref } from "../stores/s3/ref.ts";
import { readObject } from "../stores/s3/read.ts";
import type { S3Object } from "../stores/s3/read.ts";

/** What must hold of a sealed object for it to be opened. */
export interface OpenPolicy {
  /** the only KMS key that may open it; undefined: any that these credentials may use */
  readonly key: string | undefined;
  /** the encryption context that must be there, exactly; undefined: any but a wrong binding */
  readonly context: EncryptionContext | undefined;
  readonly accept: ReadonlySet<Acceptance>;
}

export interface Opened {
  readonly plaintext: Uint8Array;
  readonly format: Envelope["format"];
  readonly keyArn: string;
  readonly versionId: string | undefined;
  readonly etag: string | undefined;
}

/**
 * Reads the object, checks its format and context, has KMS open the data key, and opens the body.
 *
 * @throws SealexecError, its message led by the stage and the target
 */
export async function openSealed(
  ref: S3Ref,
  policy: OpenPolicy,
  session: AwsSession,
  context: Context,
): Promise<Opened> {
  const uri = formatS3Uri(ref);
  const object = await step(context, "object", uri, () => readObject(ref, session, context), describeObject);
  const envelope = await readFormat(ref, object, policy, session, context);
  await step(context, "context", uri, () =>
    checkContext(envelope, {
      object: placeOf(ref),
      ...(policy.context === undefined ? {} : { context: policy.context }),
    }),
  );
  const dataKey = await step(
    context,
    "key",
    `${uri} under ${policy.key ?? "the key that sealed it"}`,
    () => decryptDataKey(envelope.wrappedKey, envelope.encryptionContext, policy.key, ref, session, context),
    (opened) => opened.keyArn,
  );
  const plaintext = await step(context, "decrypt", uri, () =>
    hinted(() => openEnvelope(envelope, dataKey.plaintext, object.body)),
  );
  dataKey.plaintext.fill(0);
  return {
    plaintext,
    format: envelope.format,
    keyArn: dataKey.keyArn,
    versionId: object.versionId,
    etag: object.etag,
  };
}

async function readFormat(
  ref: S3Ref,
  object: S3Object,
  policy: OpenPolicy,
  session: AwsSession,
  context: Context,
): Promise<Envelope> {
  const uri = formatS3Uri(ref);
  const readWith = (file?: Uint8Array): Promise<Reading> =>
    step(
      context,
      "format",
      uri,
      () => hinted(() => readEnvelope(object, policy.accept, file)),
      describeReading,
    );
  const reading = await readWith();
  if (reading.kind === "envelope") return reading.envelope;
  // Amazon's clients put the file beside the object; it has no version of its own to pin.
  const { bucket, key, region } = ref;
  const file = { bucket, key: `${key}.instruction`, ...(region === undefined ? {} : { region }) };
  const read = (): Promise<S3Object> => readObject(file, session, context);
  const { body } = await step(context, "object", formatS3Uri(file), read, describeObject);
  const second = await readWith(body);
  if (second.kind === "envelope") return second.envelope;
  throw new Error("an instruction file asked for another");
}

/** The envelope says what is wrong with an object; what to do about it is the same for nearly all. */
function hinted<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SealexecError) || error.hint !== undefined) throw error;
    const hint = "restore an earlier version of the object, or seal it again: sealexec push";
    throw new SealexecError(error.kind, error.message, { hint, cause: error });
  }
}

function describeReading(reading: Reading): string {
  return reading.kind === "envelope" ? reading.envelope.format : "its data key is in an instruction file";
}

function describeObject(object: S3Object): string {
  const version = object.versionId === undefined ? "" : `, version ${object.versionId}`;
  return `${object.body.length} bytes${version}`;
}
