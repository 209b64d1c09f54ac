import { parseRegion } from "../../aws/region.ts";
import { defined } from "../../base/defined.ts";
import { DIALECTS } from "../../text/dialect.ts";
import type { Dialect } from "../../text/dialect.ts";
import { SEALED_OPTIONS_FORM, parseFormat } from "../uri.ts";
import type { Grammar, ParsedUri } from "../uri.ts";

/** Where a sealed object lies. */
export interface S3Ref {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
  readonly region?: string;
  /** the account that the bucket has to belong to, 12 digits */
  readonly owner?: string;
  /** what is sealed in it; absent: a .env */
  readonly dialect?: Dialect;
}

type Parameter = "versionId" | "region" | "owner" | "format";

export const S3_GRAMMAR: Grammar<Parameter> = {
  prefix: "s3://",
  form: `s3://BUCKET/KEY[?versionId=VERSION][&region=REGION][&owner=ACCOUNT][&format=${DIALECTS.join("|")}]${SEALED_OPTIONS_FORM}`,
  parameters: ["versionId", "region", "owner", "format"],
  query: "last",
  sealed: true,
};

// Amazon S3 User Guide, "General purpose bucket naming rules".
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const LONGEST_KEY_BYTES = 1_024;

export function s3Ref({ address, parameters, refuse }: ParsedUri<Parameter>): S3Ref {
  const slash = address.indexOf("/");
  const [bucket, key] = slash === -1 ? [address, ""] : [address.slice(0, slash), address.slice(slash + 1)];
  if (!BUCKET.test(bucket) || bucket.includes("..")) throw refuse("has no valid bucket name");
  if (key === "" || key.endsWith("/")) throw refuse("has no key");
  if (Buffer.byteLength(key) > LONGEST_KEY_BYTES) throw refuse("has a key of more than 1,024 bytes");
  if (/\?(versionId|region|owner|format)=/.test(key)) throw refuse('has a "?" behind its parameters');
  // HTTP clients and proxies normalise these away, and another object would be read.
  if (key.split("/").some((part) => part === "." || part === ".."))
    throw refuse('has "." or ".." in its key');
  const { format, ...rest } = parameters;
  if (rest.region !== undefined) parseRegion(rest.region, "the URI");
  if (rest.owner !== undefined && !/^\d{12}$/.test(rest.owner))
    throw refuse("has an owner that is not an account of 12 digits");
  return { bucket, key, ...rest, ...defined({ dialect: parseFormat(format, refuse) }) };
}

/** The place that a sealed object is bound to: `s3://BUCKET/KEY`, without version and region. */
export function placeOf({ bucket, key }: S3Ref): string {
  return `s3://${bucket}/${key}`;
}

/** The URI as people know it. */
export function formatS3Uri(ref: S3Ref): string {
  return ref.versionId === undefined ? placeOf(ref) : `${placeOf(ref)}?versionId=${ref.versionId}`;
}
