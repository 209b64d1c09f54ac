/** S3 GetObject without the generated client (Amazon S3 API Reference, "GetObject" and "Error responses"). */
import type { Answer } from "../../http/answer.ts";
import { callService } from "../../aws/call/call.ts";
import type { Direct, Refusal } from "../../aws/call/call.ts";
import { defined } from "../../base/defined.ts";
import type { Metadata } from "../../envelope/format.ts";
import type { S3Ref } from "./ref.ts";
import { parseHttpDate } from "./times.ts";

export interface S3Object {
  readonly metadata: Metadata;
  readonly body: Uint8Array;
  readonly etag: string | undefined;
  readonly versionId: string | undefined;
  /** S3's own time as it answered, milliseconds since 1970; undefined: it told none */
  readonly date: number | undefined;
  /** when this version was written, by S3's own time, milliseconds since 1970 */
  readonly lastModified: number | undefined;
}

const METADATA = "x-amz-meta-";

/** @param unless an ETag: an object that still has it is not sent, and S3 refuses with status 304 */
export async function getObject(
  { caller, url }: Direct,
  { versionId, owner }: S3Ref,
  largestBody: number,
  signal: AbortSignal,
  unless: string | undefined,
): Promise<S3Object> {
  const query = { "x-id": "GetObject", ...defined({ versionId }) };
  const headers = defined({ "if-none-match": unless, "x-amz-expected-bucket-owner": owner });
  const call = { service: "s3", method: "GET", url, query, headers, largestBody, readRefusal } as const;
  const { headers: found, body } = await callService(caller, call, signal);
  const metadata = Object.entries(found)
    .filter(([name]) => name.startsWith(METADATA))
    .map(([name, value]) => [name.slice(METADATA.length), value]);
  return {
    metadata: Object.fromEntries(metadata) as Record<string, string>,
    body,
    etag: found["etag"],
    versionId: found["x-amz-version-id"],
    date: parseHttpDate(found["date"]),
    lastModified: parseHttpDate(found["last-modified"]),
  };
}

/** The fields of S3's `<Error>` document that are of use; none is shown before it is known to be an identifier. */
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
