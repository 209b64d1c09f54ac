/** S3 GetObject without the generated client (Amazon S3 API Reference, "GetObject" and "Error responses"). */
import type { Answer } from "../../http/answer.ts";
import { callService } from "../../aws/call/call.ts";
import type { Caller, Refusal } from "../../aws/call/call.ts";
import type { S3Object } from "./object.ts";
import { ownerHeader } from "./owner.ts";
import type { S3Ref } from "./ref.ts";
import { parseHttpDate } from "./times.ts";

const METADATA = "x-amz-meta-";

/**
 * @param url of the object, without a query
 * @param largestBody bytes
 * @param unless an ETag: an object that still has it is not sent, and S3 refuses with status 304
 */
export async function getObject(
  caller: Caller,
  url: URL,
  ref: Pick<S3Ref, "versionId" | "owner">,
  largestBody: number,
  signal: AbortSignal,
  unless?: string,
): Promise<S3Object> {
  const { versionId } = ref;
  const query = { "x-id": "GetObject", ...(versionId === undefined ? {} : { versionId }) };
  const headers: Record<string, string> = {
    ...(unless === undefined ? {} : { "if-none-match": unless }),
    ...ownerHeader(ref),
  };
  const call = { service: "s3", method: "GET", url, query, headers, largestBody, readRefusal } as const;
  const answer = await callService(caller, call, signal);
  const metadata = Object.entries(answer.headers)
    .filter(([name]) => name.startsWith(METADATA))
    .map(([name, value]) => [name.slice(METADATA.length), value]);
  return {
    metadata: Object.fromEntries(metadata) as Record<string, string>,
    body: answer.body,
    etag: answer.headers["etag"],
    versionId: answer.headers["x-amz-version-id"],
    date: parseHttpDate(answer.headers["date"]),
    lastModified: parseHttpDate(answer.headers["last-modified"]),
  };
}

/** The fields of S3's `<Error>` document that are of use; none of them is shown before it is known to be an identifier. */
function readRefusal({ body }: Answer): Refusal {
  const text = body.toString("utf8");
  const field = (name: string): string | undefined =>
    new RegExp(`<${name}>([^<>]{1,1024})</${name}>`).exec(text)?.[1];
  return {
    code: field("Code"),
    message: field("Message"),
    region: field("Region"),
    requestId: field("RequestId"),
  };
}
