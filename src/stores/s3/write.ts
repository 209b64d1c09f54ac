import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "../../aws/sdk.ts";
import type { HeadObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import type { AwsSession } from "../../aws/session.ts";
import { classify, facts } from "../../aws/failure.ts";
import type { Failure } from "../../aws/failure.ts";
import { retry } from "../../aws/retry.ts";
import type { Context } from "../../context.ts";
import type { Metadata } from "../../envelope/format.ts";
import { SealexecError } from "../../errors.ts";
import { followRedirect } from "./redirect.ts";
import { namingOwner, ownerInput } from "./owner.ts";
import type { S3Ref } from "./ref.ts";

const ATTEMPT_MS = 10_000;

/** What must be there for a write to take place: nothing, or the revision with this ETag (with its quotes). */
export type Expected = { readonly kind: "absent" } | { readonly kind: "etag"; readonly etag: string };

/** What is there now. */
export type Found =
  { readonly kind: "absent" } | { readonly kind: "etag"; readonly etag: string; readonly metadata: Metadata };

export interface Written {
  readonly etag: string | undefined;
  readonly versionId: string | undefined;
}

/** The object that is there now, without its body, or what says that there is none. */
export async function findObject(ref: S3Ref, session: AwsSession, context: Context): Promise<Found> {
  try {
    const head = await headObject(ref, session, context);
    if (head.ETag === undefined)
      throw new SealexecError("unavailable", "HeadObject: the answer holds no ETag");
    return { kind: "etag", etag: head.ETag, metadata: head.Metadata ?? {} };
  } catch (error) {
    if (error instanceof SealexecError && error.kind === "missing") return { kind: "absent" };
    throw error;
  }
}

/**
 * Uploads a sealed object, only where the expected revision is still there (If-Match, If-None-Match).
 *
 * @throws "data" where somebody else wrote in between; "missing" (bucket), "denied", "unavailable", "timeout"
 */
export async function writeObject(
  ref: S3Ref,
  sealed: { readonly metadata: Metadata; readonly body: Uint8Array },
  expected: Expected,
  session: AwsSession,
  context: Context,
): Promise<Written> {
  const command = new PutObjectCommand({
    Bucket: ref.bucket,
    Key: ref.key,
    ...ownerInput(ref),
    Body: sealed.body,
    ContentType: "application/octet-stream",
    ChecksumAlgorithm: "SHA256",
    Metadata: { ...sealed.metadata },
    ...(expected.kind === "absent" ? { IfNoneMatch: "*" } : { IfMatch: expected.etag }),
  });
  let attempts = 0;
  try {
    const answer = await retry(
      context,
      { attemptMs: ATTEMPT_MS, classify: namingOwner(ref, classifyWrite(expected)) },
      (signal) => {
        attempts += 1;
        return followRedirect(ref, session, context, async () =>
          (await session.s3({ home: ref.bucket })).send(command, { abortSignal: signal }),
        );
      },
    );
    return { etag: answer.ETag, versionId: answer.VersionId };
  } catch (error) {
    // An attempt whose answer was lost may have been the one that wrote: then the conflict is with ourselves.
    const ours =
      attempts > 1 && isConflict(error) ? await findOurs(ref, sealed.metadata, session, context) : undefined;
    if (ours === undefined) throw error;
    return ours;
  }
}

async function findOurs(
  ref: S3Ref,
  metadata: Metadata,
  session: AwsSession,
  context: Context,
): Promise<Written | undefined> {
  const head = await headObject(ref, session, context);
  // The wrapped data key is different in every sealing.
  const same = Object.entries(metadata).every(([name, value]) => head.Metadata?.[name] === value);
  return same ? { etag: head.ETag, versionId: head.VersionId } : undefined;
}

function headObject(ref: S3Ref, session: AwsSession, context: Context): Promise<HeadObjectCommandOutput> {
  const command = new HeadObjectCommand({ Bucket: ref.bucket, Key: ref.key, ...ownerInput(ref) });
  return retry(context, { attemptMs: ATTEMPT_MS, classify: namingOwner(ref, classifyHead) }, (signal) =>
    followRedirect(ref, session, context, async () => {
      const client = await session.s3({ home: ref.bucket });
      try {
        return await client.send(command, { abortSignal: signal });
      } catch (error) {
        // The SDK has learned the clock's offset from it: that may have been why.
        if (hasSetClock(error)) return client.send(command, { abortSignal: signal });
        throw (await whyRefused(error, ref, client, signal)) ?? error;
      }
    }),
  );
}

function hasSetClock(error: unknown): boolean {
  const { $metadata } = error as { readonly $metadata?: { readonly clockSkewCorrected?: boolean } };
  return $metadata?.clockSkewCorrected === true;
}

/**
 * The refusal of a HEAD has no body, and so no code: expired credentials look like a permission that is not there. A GET
 * of one byte is refused for the same reason, and says it. Undefined: it is not refused.
 */
async function whyRefused(
  error: unknown,
  ref: S3Ref,
  client: S3Client,
  signal: AbortSignal,
): Promise<unknown> {
  const { status } = facts(error);
  if (status !== 400 && status !== 403) return undefined;
  const input = { Bucket: ref.bucket, Key: ref.key, Range: "bytes=0-0", ...ownerInput(ref) };
  try {
    const { Body } = await client.send(new GetObjectCommand(input), { abortSignal: signal });
    await Body?.transformToByteArray();
    return undefined;
  } catch (refusal) {
    const isSame = facts(refusal).status === status;
    return isSame ? refusal : undefined;
  }
}

function classifyHead(error: unknown): Failure {
  // Only a refusal with a body has a Code.
  const isOfGet = (error as { readonly Code?: unknown } | undefined)?.Code !== undefined;
  const failure = classify(isOfGet ? "GetObject" : "HeadObject", error);
  if (failure.error.code !== "access-denied") return failure;
  return {
    error: failure.error.reworded(
      failure.error.message.replace("access denied", "missing or forbidden"),
      "allow s3:GetObject and s3:ListBucket to this role, or say --create or --if-match ETAG",
    ),
  };
}

function classifyWrite(expected: Expected): (error: unknown) => Failure {
  return (error) => {
    const failure = classify("PutObject", error);
    const { code, status, requestId } = facts(error);
    if (status !== 412 && code !== "ConditionalRequestConflict" && code !== "NoSuchKey") return failure;
    const says =
      expected.kind === "absent" ? "there is an object already" : "the object is no longer the one expected";
    return {
      error: new SealexecError(
        "data",
        `${says} (PutObject: ${code ?? status}, request id ${requestId ?? "unknown"})`,
        {
          hint: "look at what is there (sealexec pull), then push again; nothing was overwritten",
          cause: error,
        },
      ),
    };
  };
}

function isConflict(error: unknown): boolean {
  return error instanceof SealexecError && error.kind === "data";
}
