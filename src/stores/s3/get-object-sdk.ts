/** S3 GetObject by the SDK's client, for endpoints that only its rules know. */
import { GetObjectCommand } from "../../aws/sdk.ts";
import type { GetObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { defined } from "../../base/defined.ts";
import { AnswerTooLarge } from "../../http/answer.ts";
import { ownerInput } from "./ask.ts";
import type { S3Object } from "./get-object.ts";
import type { S3Ref } from "./ref.ts";
import { AT_ANSWER, AnswerDate } from "./times.ts";

/** @param unless as of getObject */
export async function getObjectBySdk(
  client: S3Client,
  ref: S3Ref,
  largestBody: number,
  signal: AbortSignal,
  unless: string | undefined,
): Promise<S3Object> {
  const command = new GetObjectCommand({
    Bucket: ref.bucket,
    Key: ref.key,
    ...ownerInput(ref),
    ...defined({ VersionId: ref.versionId, IfNoneMatch: unless }),
  });
  const date = new AnswerDate();
  command.middlewareStack.add(date.middleware, AT_ANSWER);
  const answer = await client.send(command, { abortSignal: signal });
  return {
    metadata: answer.Metadata ?? {},
    body: await readBody(answer, largestBody),
    etag: answer.ETag,
    versionId: answer.VersionId,
    date: date.value,
    lastModified: answer.LastModified?.getTime(),
  };
}

async function readBody(answer: GetObjectCommandOutput, largestBody: number): Promise<Uint8Array> {
  const body = answer.Body as (AsyncIterable<Uint8Array> & { destroy?: () => void }) | undefined;
  if (body === undefined) return new Uint8Array();
  if ((answer.ContentLength ?? 0) > largestBody) {
    body.destroy?.();
    throw new AnswerTooLarge("body too large");
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    // Leaving the loop destroys the stream, and with it the connection.
    if (size > largestBody) throw new AnswerTooLarge("body too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
