import { HeadObjectCommand, PutObjectCommand } from "../../aws/sdk.ts";
import { classify, facts } from "../../aws/call/failure.ts";
import type { Failure } from "../../http/failure.ts";
import type { Metadata } from "../../envelope/format.ts";
import { SealexecError } from "../../base/errors.ts";
import type { AwsTools } from "../source.ts";
import { askS3, ownerInput } from "./ask.ts";
import type { S3Ref } from "./ref.ts";
import { AT_ANSWER, AnswerDate } from "./times.ts";

const QUICKER_HINT =
  "somebody was quicker: look at what is there (sealexec pull -v), then push again; nothing was overwritten";

/** What must be there for a write to take place: nothing, or the revision with this ETag (with its quotes). */
export type Expected = { readonly kind: "absent" } | { readonly kind: "etag"; readonly etag: string };

export interface Written {
  readonly etag: string | undefined;
  readonly versionId: string | undefined;
}

/** Uploads a sealed object, only if the expected revision is still there (If-Match, If-None-Match). */
export async function writeObject(
  ref: S3Ref,
  { metadata, body }: { readonly metadata: Metadata; readonly body: Uint8Array },
  expected: Expected,
  asking: AwsTools,
): Promise<Written> {
  const command = new PutObjectCommand({
    Bucket: ref.bucket,
    Key: ref.key,
    ...ownerInput(ref),
    Body: body,
    ContentType: "application/octet-stream",
    ChecksumAlgorithm: "SHA256",
    Metadata: { ...metadata },
    ...(expected.kind === "absent" ? { IfNoneMatch: "*" } : { IfMatch: expected.etag }),
  });
  let failed = 0;
  const classifyAttempt = (error: unknown): Failure => {
    failed += 1;
    return classifyWrite(error, expected);
  };
  try {
    const answer = await askS3(ref, asking, classifyAttempt, async (abortSignal) =>
      (await asking.session.s3({ home: ref.bucket })).send(command, { abortSignal }),
    );
    return { etag: answer.ETag, versionId: answer.VersionId };
  } catch (error) {
    const isConflict = error instanceof SealexecError && error.kind === "conflict";
    if (failed === 1 || !isConflict) throw error;
    // An attempt whose answer was lost may have been the one that wrote: then the conflict is with ourselves.
    const head = await headObject(ref, asking);
    // The wrapped data key is different in every sealing.
    if (Object.entries(metadata).every(([name, value]) => head.metadata[name] === value)) return head;
    throw error;
  }
}

interface Head extends Written {
  readonly metadata: Metadata;
  /** S3's own time, milliseconds since 1970 */
  readonly date: number | undefined;
}

/** An object without its body. */
export async function headObject(ref: S3Ref, asking: AwsTools): Promise<Head> {
  const command = new HeadObjectCommand({ Bucket: ref.bucket, Key: ref.key, ...ownerInput(ref) });
  const date = new AnswerDate();
  command.middlewareStack.add(date.middleware, AT_ANSWER);
  const classifyHead = (error: unknown): Failure => classify("HeadObject", error);
  const head = await askS3(ref, asking, classifyHead, async (abortSignal) =>
    (await asking.session.s3({ home: ref.bucket })).send(command, { abortSignal }),
  );
  return { etag: head.ETag, versionId: head.VersionId, metadata: head.Metadata ?? {}, date: date.value };
}

function classifyWrite(error: unknown, expected: Expected): Failure {
  const failure = classify("PutObject", error);
  const { code, status, requestId } = facts(error);
  if (status !== 412 && code !== "ConditionalRequestConflict" && code !== "NoSuchKey") return failure;
  const says =
    expected.kind === "absent" ? "there is an object already" : "the object is no longer the one expected";
  const detail = `PutObject: ${code ?? status}, request id ${requestId ?? "unknown"}`;
  const details = { detail, facts: failure.error.facts, hint: QUICKER_HINT, cause: error };
  return { error: new SealexecError("conflict", says, details) };
}
