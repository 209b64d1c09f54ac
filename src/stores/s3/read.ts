import { AnswerTooLarge } from "../../http/answer.ts";
import { directObject } from "../../aws/endpoint.ts";
import { classify, facts } from "../../aws/call/failure.ts";
import type { Failure } from "../../http/failure.ts";
import { SealexecError } from "../../base/errors.ts";
import type { AwsTools } from "../source.ts";
import { askS3 } from "./ask.ts";
import { getObject } from "./get-object.ts";
import type { S3Object } from "./get-object.ts";
import type { S3Ref } from "./ref.ts";

/** The largest sealed object that is read. A .env of this size would not fit an environment. */
export const LARGEST_OBJECT_BYTES = 4 * 1024 * 1024;
const NOT_MODIFIED = 304;

/** Reads an object whole, in one GetObject (more only if an attempt failed or S3 named another region). */
export async function readObject(ref: S3Ref, asking: AwsTools): Promise<S3Object> {
  return askS3(ref, asking, classifyRead, (signal) => readOnce(ref, asking, signal));
}

/** The ETag that it has now; undefined: the same. Asked once: who looks again and again needs no retries. */
export async function changedEtag(ref: S3Ref, etag: string, asking: AwsTools): Promise<string | undefined> {
  const look = async (signal: AbortSignal): Promise<string | undefined> => {
    try {
      const object = await readOnce(ref, asking, signal, etag);
      return object.etag === etag ? undefined : object.etag;
    } catch (error) {
      if (facts(error).status === NOT_MODIFIED) return undefined;
      throw error;
    }
  };
  return askS3(ref, asking, classifyRead, look, 1);
}

/** @param unless an ETag: an object that still has it is not sent, and S3 refuses with status 304 */
async function readOnce(ref: S3Ref, aws: AwsTools, signal: AbortSignal, unless?: string): Promise<S3Object> {
  const { bucket, key } = ref;
  const located = { home: bucket };
  const direct = await aws.session.direct(located, (region, env) => directObject(bucket, key, region, env));
  if (direct !== undefined) return getObject(direct, ref, LARGEST_OBJECT_BYTES, signal, unless);
  const { getObjectBySdk } = await import("./get-object-sdk.ts");
  return getObjectBySdk(await aws.session.s3(located), ref, LARGEST_OBJECT_BYTES, signal, unless);
}

function classifyRead(error: unknown): Failure {
  if (error instanceof AnswerTooLarge) {
    const says = `the object is larger than ${LARGEST_OBJECT_BYTES} bytes`;
    const hint = "it is not a sealed .env; check the URI";
    return { error: new SealexecError("data", says, { hint, cause: error }) };
  }
  const failure = classify("GetObject", error);
  // One that comes from before the request, of credentials say, has its own words.
  if (failure.error === error || failure.error.code !== "access-denied") return failure;
  const hint = "allow s3:GetObject to the role; with s3:ListBucket S3 also says which of the two it is";
  return { error: failure.error.hinting(hint, "missing or forbidden") };
}
