import { facts } from "../../aws/failure.ts";
import { parseRegion } from "../../aws/region.ts";

/**
 * The region that S3's answer names as the bucket's own, where it is another than the one asked in: a 301
 * PermanentRedirect, a 307 TemporaryRedirect, or a 400 (AuthorizationHeaderMalformed, IllegalLocationConstraint).
 * Source: Amazon S3 API Reference, "Error responses"; User Guide, "Making requests using the REST API: Redirection".
 */
export function redirectedRegion(error: unknown, asked: string): string | undefined {
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
