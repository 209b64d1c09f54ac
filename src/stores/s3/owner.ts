/**
 * `?owner=ACCOUNT`: S3 refuses a request where the bucket belongs to another account (Amazon S3 User Guide, "Verifying bucket
 * ownership with bucket owner condition"). A bucket's name is free for anybody once it is deleted.
 */
import type { Failure } from "../../http/failure.ts";
import type { S3Ref } from "./ref.ts";

/** As a header of a request. */
export function ownerHeader({ owner }: Pick<S3Ref, "owner">): Readonly<Record<string, string>> {
  return owner === undefined ? {} : { "x-amz-expected-bucket-owner": owner };
}

/** As input of an operation of the SDK. */
export function ownerInput({ owner }: Pick<S3Ref, "owner">): { readonly ExpectedBucketOwner?: string } {
  return owner === undefined ? {} : { ExpectedBucketOwner: owner };
}

/** The same failures, of which those that may be about the owner say so. */
export function namingOwner(
  { owner }: S3Ref,
  classify: (error: unknown) => Failure,
): (error: unknown) => Failure {
  return (error) => {
    const failure = classify(error);
    if (owner === undefined || failure.error.kind !== "denied") return failure;
    const { hint = "check the URI" } = failure.error;
    const way = `check that it is a bucket of account ${owner} (?owner=), and ${hint}`;
    return { ...failure, error: failure.error.hinting(way) };
  };
}
