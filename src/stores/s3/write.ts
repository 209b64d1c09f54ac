import { HeadObjectCommand, PutObjectCommand } from "../../aws/sdk.ts";
import type { AwsSession } from "../../aws/session.ts";
import { classify, facts } from "../../aws/call/failure.ts";
import { failureOf } from "../../http/failure.ts";
import type { Failure } from "../../http/failure.ts";
import { retry } from "../../http/retry.ts";
import type { Context } from "../../base/context.ts";
import type { Metadata } from "../../envelope/format.ts";
import { SealexecError } from "../../base/errors.ts";
import { followRedirect } from "./redirect.ts";
import { namingOwner, ownerInput } from "./owner.ts";
import type { S3Ref } from "./ref.ts";
import { AT_ANSWER, AnswerDate } from "./times.ts";

const ATTEMPT_MS = 10_000;
const QUICKER_HINT =
  "somebody was quicker: look at what is there (sealexec pull -v), then push again; nothing was overwritten";

/** What must be there for a write to take place: nothing, or the revision with this ETag (with its quotes). */
export type Expected = { readonly kind: "absent" } | { readonly kind: "etag"; readonly etag: string };

export interface Written {
  readonly etag: string | undefined;
  readonly versionId: string | undefined;
}

/**
 * Uploads a sealed object, only where the expected revision is still there (If-Match, If-None-Match).
 *
 * @throws "conflict" if somebody else wrote in between; "missing" (bucket), "denied", "unavailable", "timeout"
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
  const same = Object.entries(metadata).every(([name, value]) => head.metadata[name] === value);
  return same ? head : undefined;
}

export interface Head extends Written {
  readonly metadata: Metadata;
  /** S3's own time, milliseconds since 1970 */
  readonly date: number | undefined;
}

/** An object without its body. */
export async function headObject(ref: S3Ref, session: AwsSession, context: Context): Promise<Head> {
  const command = new HeadObjectCommand({ Bucket: ref.bucket, Key: ref.key, ...ownerInput(ref) });
  const date = new AnswerDate();
  command.middlewareStack.add(date.middleware, AT_ANSWER);
  const classifyHead = namingOwner(ref, (error) => classify("HeadObject", error));
  const head = await retry(context, { attemptMs: ATTEMPT_MS, classify: classifyHead }, (signal) =>
    followRedirect(ref, session, context, async () =>
      (await session.s3({ home: ref.bucket })).send(command, { abortSignal: signal }),
    ),
  );
  return { etag: head.ETag, versionId: head.VersionId, metadata: head.Metadata ?? {}, date: date.value };
}

function classifyWrite(expected: Expected): (error: unknown) => Failure {
  return (error) => {
    const failure = classify("PutObject", error);
    const { code, status, requestId } = facts(error);
    if (status !== 412 && code !== "ConditionalRequestConflict" && code !== "NoSuchKey") return failure;
    const says =
      expected.kind === "absent" ? "there is an object already" : "the object is no longer the one expected";
    const detail = `PutObject: ${code ?? status}, request id ${requestId ?? "unknown"}`;
    return failureOf(
      { kind: "conflict", says, hint: QUICKER_HINT },
      { detail, facts: failure.error.facts, cause: error },
    );
  };
}

function isConflict(error: unknown): boolean {
  return error instanceof SealexecError && error.kind === "conflict";
}
