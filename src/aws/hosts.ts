/**
 * The hosts that the SDK will ask without a custom endpoint, guessed, so that connections can be opened ahead. A
 * wrong guess costs an idle connection and nothing else: the SDK's own endpoint rules decide where a request goes.
 */
const COMMERCIAL_REGION = /^(us|ca|mx|sa|eu|ap|me|af|il)-[a-z]+-\d$/;

export function defaultHosts(
  bucket: string,
  s3Region: string,
  kmsRegion: string,
): { s3: URL; kms: URL } | undefined {
  if (!COMMERCIAL_REGION.test(s3Region) || !COMMERCIAL_REGION.test(kmsRegion)) return undefined;
  // A dot in a bucket's name does not fit the wildcard certificate: the SDK then puts the bucket into the path.
  const prefix = bucket.includes(".") ? "" : `${bucket}.`;
  return {
    s3: new URL(`https://${prefix}s3.${s3Region}.amazonaws.com`),
    kms: new URL(`https://kms.${kmsRegion}.amazonaws.com`),
  };
}
