import { facts } from "../../aws/call/failure.ts";
import { parseRegion } from "../../aws/region.ts";
import type { AwsSession } from "../../aws/session.ts";
import type { Context } from "../../base/context.ts";
import { placeOf } from "./ref.ts";
import type { S3Ref } from "./ref.ts";

/** Calls S3, and once more in the region that its answer names, where that is another. */
export async function followRedirect<T>(
  ref: S3Ref,
  session: AwsSession,
  context: Context,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const region = redirectedRegion(error, session.regionName({ home: ref.bucket }));
    if (region === undefined) throw error;
    context.log.info(`${placeOf(ref)}: the bucket is in ${region}`);
    session.moveBucket({ home: ref.bucket }, region);
    return call();
  }
}

/**
 * The region that S3's answer names as the bucket's own, where it is another than the one asked in: a 301
 * PermanentRedirect, a 307 TemporaryRedirect, or a 400 (AuthorizationHeaderMalformed, IllegalLocationConstraint).
 * Source: Amazon S3 API Reference, "Error responses"; User Guide, "Making requests using the REST API: Redirection".
 */
function redirectedRegion(error: unknown, asked: string): string | undefined {
  const { status } = facts(error);
  if (status !== 301 && status !== 307 && status !== 400) return undefined;
  const { Region, $response } = error as {
    Region?: unknown;
    $response?: { headers?: Record<string, string> };
  };
  const named =
    $response?.headers?.["x-amz-bucket-region"] ?? (typeof Region === "string" ? Region : undefined);
  if (named === undefined || named === asked) return undefined;
  return parseRegion(named, "S3's redirect").name;
}
