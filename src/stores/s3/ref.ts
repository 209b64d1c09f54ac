import { parseRegion } from "../../aws/region/region.ts";
import { DIALECTS, parseDialect } from "../../text/dialect.ts";
import type { Dialect } from "../../text/dialect.ts";
import { SealexecError } from "../../base/errors.ts";
import { parseParameters } from "../parameters.ts";
import { SEALED_OPTIONS_FORM } from "../uri-options.ts";

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

// Amazon S3 User Guide, "General purpose bucket naming rules".
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const LONGEST_KEY_BYTES = 1_024;
// A control character in a name is a mistake, or an attack on a terminal or a header.
const CONTROL = /\p{Cc}/u;
const FORM = `s3://BUCKET/KEY[?versionId=VERSION][&region=REGION][&owner=ACCOUNT][&format=${DIALECTS.join("|")}]${SEALED_OPTIONS_FORM}`;

/**
 * Parses `s3://BUCKET/KEY[?versionId=…][&region=…][&owner=…][&format=…]`. The key is taken as it is: nothing in it is decoded.
 *
 * @throws "usage", naming what is wrong
 */
export function parseS3Uri(uri: string): S3Ref {
  if (CONTROL.test(uri)) throw refusal("has a control character");
  if (!uri.startsWith("s3://")) throw refusal("does not begin with s3://");
  if (/\ss3:\/\//.test(uri))
    throw new SealexecError("usage", "two URIs in one", { hint: "repeat --from for each" });
  const rest = uri.slice("s3://".length);
  const slash = rest.indexOf("/");
  const bucket = slash === -1 ? rest : rest.slice(0, slash);
  if (!BUCKET.test(bucket) || bucket.includes("..")) throw refusal("has no valid bucket name", uri);
  const afterBucket = slash === -1 ? "" : rest.slice(slash + 1);
  const question = afterBucket.lastIndexOf("?");
  const key = question === -1 ? afterBucket : afterBucket.slice(0, question);
  checkKey(key, uri);
  return { bucket, key, ...readParameters(question === -1 ? "" : afterBucket.slice(question + 1), uri) };
}

function checkKey(key: string, uri: string): void {
  if (key === "" || key.endsWith("/")) throw refusal("has no key", uri);
  if (Buffer.byteLength(key) > LONGEST_KEY_BYTES) throw refusal("has a key of more than 1,024 bytes");
  if (/\?(versionId|region|owner|format)=/.test(key)) throw refusal('has a "?" behind its parameters', uri);
  // HTTP clients and proxies normalise these away, and another object would be read.
  if (key.split("/").some((part) => part === "." || part === ".."))
    throw refusal('has "." or ".." in its key', uri);
}

const PARAMETERS = ["versionId", "region", "owner", "format"] as const;

function readParameters(query: string, uri: string): Omit<S3Ref, "bucket" | "key"> {
  if (query === "") return {};
  const { format, ...rest } = parseParameters(query, PARAMETERS, (what) => refusal(what, uri));
  if (rest.region !== undefined) parseRegion(rest.region, "the URI");
  if (rest.owner !== undefined && !/^\d{12}$/.test(rest.owner)) {
    throw refusal("has an owner that is not an account of 12 digits", uri);
  }
  if (format === undefined) return rest;
  const dialect = parseDialect(format);
  if (dialect === undefined) throw refusal(`has a format other than ${DIALECTS.join(", ")}`, uri);
  return { ...rest, dialect };
}

/** The place that a sealed object is bound to: `s3://BUCKET/KEY`, without version and region. */
export function placeOf(ref: S3Ref): string {
  return `s3://${ref.bucket}/${ref.key}`;
}

/** The URI as people know it. */
export function formatS3Uri(ref: S3Ref): string {
  return ref.versionId === undefined ? placeOf(ref) : `${placeOf(ref)}?versionId=${ref.versionId}`;
}

function refusal(what: string, uri?: string): SealexecError {
  const named = uri === undefined ? "the source URI" : uri.slice(0, 200);
  return new SealexecError("usage", `${named}: ${what}`, { hint: `the form is ${FORM}` });
}
