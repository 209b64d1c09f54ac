import { AnswerTooLarge } from "../../http/answer.ts";
import type { AwsSession } from "../../aws/session.ts";
import { directObject } from "../../aws/endpoint.ts";
import { classify, facts } from "../../aws/call/failure.ts";
import type { Failure } from "../../http/failure.ts";
import { retry } from "../../http/retry.ts";
import type { Context } from "../../base/context.ts";
import { SealexecError } from "../../base/errors.ts";
import { getObject } from "./get-object.ts";
import { followRedirect } from "./redirect.ts";
import { namingOwner } from "./owner.ts";
import type { S3Ref } from "./ref.ts";
import type { S3Object } from "./object.ts";

/** The largest sealed object that is read, bytes. A .env of this size would not fit an environment. */
export const LARGEST_OBJECT_BYTES = 4 * 1024 * 1024;
const ATTEMPT_MS = 10_000;

/**
 * Reads an object whole, in one GetObject (more only where an attempt failed or S3 named another region).
 *
 * @throws "missing", "denied" ("missing or forbidden"), "data" where it is too large, "unavailable", "timeout"
 */
export async function readObject(ref: S3Ref, session: AwsSession, context: Context): Promise<S3Object> {
  return retry(context, { attemptMs: ATTEMPT_MS, classify: namingOwner(ref, classifyRead) }, (signal) =>
    followRedirect(ref, session, context, () => readOnce(ref, session, signal)),
  );
}

/**
 * Asks for the object unless it still has this ETag, once: whoever looks again and again needs no retries.
 *
 * @returns the ETag that it has now, where that is another
 * @throws as readObject
 */
export async function changedEtag(
  ref: S3Ref,
  etag: string,
  session: AwsSession,
  context: Context,
): Promise<string | undefined> {
  const options = { attemptMs: ATTEMPT_MS, mostAttempts: 1, classify: namingOwner(ref, classifyRead) };
  return retry(context, options, async (signal) => {
    try {
      const object = await followRedirect(ref, session, context, () => readOnce(ref, session, signal, etag));
      return object.etag === etag ? undefined : object.etag;
    } catch (error) {
      if (facts(error).status === NOT_MODIFIED) return undefined;
      throw error;
    }
  });
}

const NOT_MODIFIED = 304;

async function readOnce(
  ref: S3Ref,
  session: AwsSession,
  signal: AbortSignal,
  unless?: string,
): Promise<S3Object> {
  const located = { home: ref.bucket };
  const direct = await session.direct(located, (region, env) =>
    directObject(ref.bucket, ref.key, region, env),
  );
  if (direct === undefined) {
    const { getObjectBySdk } = await import("./get-object-sdk.ts");
    return getObjectBySdk(await session.s3(located), ref, LARGEST_OBJECT_BYTES, signal, unless);
  }
  return getObject(direct.caller, direct.url, ref, LARGEST_OBJECT_BYTES, signal, unless);
}

function classifyRead(error: unknown): Failure {
  if (error instanceof AnswerTooLarge) {
    const says = `the object is larger than ${LARGEST_OBJECT_BYTES} bytes`;
    const hint = "it is not a sealed .env; check the URI";
    return { error: new SealexecError("data", says, { hint, cause: error }) };
  }
  const failure = classify("GetObject", error);
  if (failure.error.code !== "access-denied") return failure;
  return {
    error: failure.error.hinting(
      "allow s3:GetObject to the role; with s3:ListBucket S3 also says which of the two it is",
      "missing or forbidden",
    ),
  };
}
