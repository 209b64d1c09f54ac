import { GetObjectCommand } from "@aws-sdk/client-s3";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import type { AwsSession } from "../../aws/session.ts";
import { classify } from "../../aws/failure.ts";
import type { Failure } from "../../aws/failure.ts";
import { retry } from "../../aws/retry.ts";
import type { Context } from "../../context.ts";
import { SealexecError } from "../../errors.ts";
import type { Metadata } from "../../envelope/format.ts";
import { followRedirect } from "./redirect.ts";
import type { S3Ref } from "./ref.ts";

/** The largest sealed object that is read, bytes. A .env of this size would not fit an environment. */
export const LARGEST_OBJECT_BYTES = 4 * 1024 * 1024;
const ATTEMPT_MS = 10_000;

export interface S3Object {
  readonly metadata: Metadata;
  readonly body: Uint8Array;
  readonly etag: string | undefined;
  readonly versionId: string | undefined;
}

/**
 * Reads an object whole, in one GetObject (more only where an attempt failed or S3 named another region).
 *
 * @throws "missing", "denied" ("missing or forbidden"), "data" where it is too large, "unavailable", "timeout"
 */
export async function readObject(ref: S3Ref, session: AwsSession, context: Context): Promise<S3Object> {
  return retry(context, { attemptMs: ATTEMPT_MS, classify: classifyRead }, (signal) =>
    followRedirect(ref, session, context, () => getObject(ref, session, signal)),
  );
}

async function getObject(ref: S3Ref, session: AwsSession, signal: AbortSignal): Promise<S3Object> {
  const command = new GetObjectCommand({
    Bucket: ref.bucket,
    Key: ref.key,
    ...(ref.versionId === undefined ? {} : { VersionId: ref.versionId }),
  });
  const answer = await (await session.s3(ref)).send(command, { abortSignal: signal });
  return {
    metadata: answer.Metadata ?? {},
    body: await readBody(answer),
    etag: answer.ETag,
    versionId: answer.VersionId,
  };
}

async function readBody(answer: GetObjectCommandOutput): Promise<Uint8Array> {
  const body = answer.Body as (AsyncIterable<Uint8Array> & { destroy?: () => void }) | undefined;
  if (body === undefined) return new Uint8Array();
  if ((answer.ContentLength ?? 0) > LARGEST_OBJECT_BYTES) {
    body.destroy?.();
    throw tooLarge();
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    // Leaving the loop destroys the stream, and with it the connection.
    if (size > LARGEST_OBJECT_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(): SealexecError {
  return new SealexecError("data", `the object is larger than ${LARGEST_OBJECT_BYTES} bytes`, {
    hint: "it is not a sealed .env; check the URI",
  });
}

function classifyRead(error: unknown): Failure {
  const failure = classify("GetObject", error);
  if (failure.error.kind !== "denied" || !failure.error.message.startsWith("access denied")) return failure;
  return {
    error: new SealexecError(
      "denied",
      failure.error.message.replace("access denied", "missing or forbidden"),
      {
        hint: "allow s3:GetObject to the role; with s3:ListBucket S3 also says which of the two it is",
        cause: error,
      },
    ),
  };
}
