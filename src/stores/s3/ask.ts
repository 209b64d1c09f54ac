/** How S3 is asked, whatever for: again if an attempt fails, and in the region that its answer names. */
import { facts } from "../../aws/call/failure.ts";
import { parseRegion } from "../../aws/region.ts";
import type { Failure } from "../../http/failure.ts";
import { retry } from "../../http/retry.ts";
import type { AwsTools } from "../source.ts";
import { placeOf } from "./ref.ts";
import type { S3Ref } from "./ref.ts";

type Classify = (error: unknown) => Failure;

const ATTEMPT_MS = 10_000;

export function askS3<T>(
  ref: S3Ref,
  asking: AwsTools,
  classify: Classify,
  call: (signal: AbortSignal) => Promise<T>,
  mostAttempts = Infinity,
): Promise<T> {
  const options = { attemptMs: ATTEMPT_MS, mostAttempts, classify: namingOwner(ref, classify) };
  return retry(asking.context, options, (signal) => followRedirect(ref, asking, () => call(signal)));
}

async function followRedirect<T>(ref: S3Ref, tools: AwsTools, call: () => Promise<T>): Promise<T> {
  const located = { home: ref.bucket };
  try {
    return await call();
  } catch (error) {
    const region = redirectedRegion(error, tools.session.regionName(located));
    if (region === undefined) throw error;
    tools.context.log.info(`${placeOf(ref)}: the bucket is in ${region}`);
    tools.session.moveBucket(located, region);
    return call();
  }
}

// The bucket's own region, if S3 names another than the one asked: 301 PermanentRedirect, 307
// TemporaryRedirect, 400 AuthorizationHeaderMalformed or IllegalLocationConstraint (Amazon S3 API Reference,
// "Error responses"; User Guide, "Making requests using the REST API: Redirection").
function redirectedRegion(error: unknown, asked: string): string | undefined {
  const { status } = facts(error);
  if (status !== 301 && status !== 307 && status !== 400) return undefined;
  const { Region, $response } = error as {
    Region?: unknown;
    $response?: { headers?: Record<string, string> };
  };
  const inBody = typeof Region === "string" ? Region : undefined;
  const named = $response?.headers?.["x-amz-bucket-region"] ?? inBody;
  if (named === undefined || named === asked) return undefined;
  return parseRegion(named, "S3's redirect").name;
}

/**
 * `?owner=ACCOUNT` for the SDK: S3 refuses if the bucket is another account's (S3 User Guide, "Verifying
 * bucket ownership with bucket owner condition"). A bucket's name is free for anybody once it is deleted.
 */
export function ownerInput({ owner }: S3Ref): { readonly ExpectedBucketOwner?: string } {
  return owner === undefined ? {} : { ExpectedBucketOwner: owner };
}

/** The same failures; those that may be about the owner say so. */
function namingOwner({ owner }: S3Ref, classify: Classify): Classify {
  return (error) => {
    const failure = classify(error);
    if (owner === undefined || failure.error === error || failure.error.kind !== "denied") return failure;
    const { hint = "check the URI" } = failure.error;
    const way = `check that it is a bucket of account ${owner} (?owner=), and ${hint}`;
    return { ...failure, error: failure.error.hinting(way) };
  };
}
