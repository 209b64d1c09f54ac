/** PutObject: what a body must prove before it is stored ("PutObject", S3 API Reference). */
import { createHash } from "node:crypto";
import { decodeAwsChunked } from "./aws-chunked.ts";
import { checksum, isChecksumAlgorithm } from "./checksums.ts";
import type { ChecksumAlgorithm } from "./checksums.ts";
import { ServiceError } from "./http.ts";
import type { Reply, Request } from "./http.ts";
import { noSuchKey, preconditionFailed } from "./s3-errors.ts";
import type { Bucket, S3Store, StoredVersion } from "./s3-store.ts";

/** "The user-defined metadata is limited to 2 KB": UTF-8 bytes of each key and value (User Guide, UsingMetadata). */
const METADATA_LIMIT_BYTES = 2048;

const KEPT_HEADERS = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
] as const;

export function putObject(store: S3Store, bucket: Bucket, key: string, request: Request): Reply {
  checkConditions(request, bucket, key);
  const rawMetadata = readMetadata(request);
  const { body, checksums } = readBody(request);
  const version = store.store(bucket, key, { body, rawMetadata, headers: keptHeaders(request), checksums });
  return {
    status: 200,
    headers: { etag: version.etag, ...versionHeader(bucket, version), ...checksumHeaders(version) },
  };
}

/** "How to prevent object overwrites with conditional writes" (S3 User Guide, conditional-writes). */
function checkConditions(request: Request, bucket: Bucket, key: string): void {
  const current = bucket.objects.get(key)?.[0];
  const exists = current !== undefined && !current.deleteMarker;
  const ifNoneMatch = request.headers.get("if-none-match");
  const ifMatch = request.headers.get("if-match");
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*")
    throw new ServiceError(
      501,
      "NotImplemented",
      "A header you provided implies functionality that is not implemented",
      {
        fields: {
          Header: "If-None-Match",
          additionalMessage: "We don't accept the provided value of If-None-Match header",
        },
      },
    );
  if (ifNoneMatch === "*" && exists) throw preconditionFailed("If-None-Match");
  if (ifMatch === undefined) return;
  if (!exists) throw noSuchKey(key);
  if (unquote(ifMatch) !== unquote(current.etag)) throw preconditionFailed("If-Match");
}

export function unquote(etag: string): string {
  return etag.trim().replace(/^(?:W\/)?"(.*)"$/u, "$1");
}

function readMetadata(request: Request): Map<string, string> {
  const metadata = new Map<string, string>();
  let sizeBytes = 0;
  for (const [name, value] of request.headers) {
    if (!name.startsWith("x-amz-meta-")) continue;
    const short = name.slice("x-amz-meta-".length);
    metadata.set(short, value);
    sizeBytes += short.length + value.length;
  }
  if (sizeBytes > METADATA_LIMIT_BYTES)
    throw new ServiceError(
      400,
      "MetadataTooLarge",
      "Your metadata headers exceed the maximum allowed metadata size",
      {
        fields: { Size: String(sizeBytes), MaxSizeAllowed: String(METADATA_LIMIT_BYTES) },
      },
    );
  return metadata;
}

function keptHeaders(request: Request): Record<string, string> {
  const kept: Record<string, string> = { "content-type": "binary/octet-stream" };
  for (const name of KEPT_HEADERS) {
    const value = request.headers.get(name);
    if (value === undefined) continue;
    const codings = value.split(",").map((part) => part.trim());
    const stored =
      name === "content-encoding" ? codings.filter((part) => part !== "aws-chunked").join(",") : value;
    if (stored !== "") kept[name] = stored;
  }
  return kept;
}

interface CheckedBody {
  readonly body: Buffer;
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, string>;
}

function readBody(request: Request): CheckedBody {
  // In aws-chunked coding the transfer may be chunked as well: then the decoded length counts.
  if (!request.headers.has("content-length") && !request.headers.has("x-amz-decoded-content-length"))
    throw new ServiceError(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
  const { body, trailers } = unchunk(request);
  checkContentMd5(request, body);
  const claims = checksumClaims(request, trailers);
  for (const [algorithm, claimed] of claims) checkClaim(algorithm, claimed, body);
  // "If you don't specify a checksum, S3 calculates one: CRC64NVME" (User Guide, checking-object-integrity-upload).
  if (claims.size === 0) claims.set("crc64nvme", checksum("crc64nvme", body));
  return { body, checksums: claims };
}

function unchunk(request: Request): { body: Buffer; trailers: ReadonlyMap<string, string> } {
  const payload = request.headers.get("x-amz-content-sha256") ?? "";
  const decodedLength = request.headers.get("x-amz-decoded-content-length");
  if (!payload.startsWith("STREAMING-")) return { body: request.body, trailers: new Map() };
  if (decodedLength === undefined)
    throw new ServiceError(
      411,
      "MissingContentLength",
      "You must provide the x-amz-decoded-content-length HTTP header.",
    );
  return decodeAwsChunked(request.body, Number(decodedLength));
}

function checkContentMd5(request: Request, body: Buffer): void {
  const claimed = request.headers.get("content-md5");
  if (claimed === undefined) return;
  if (Buffer.from(claimed, "base64").length !== 16)
    throw new ServiceError(400, "InvalidDigest", "The Content-MD5 you specified was invalid.");
  if (createHash("md5").update(body).digest("base64") !== claimed)
    throw new ServiceError(400, "BadDigest", "The Content-MD5 you specified did not match what we received.");
}

/** The one checksum that came as a header, or as the trailer that x-amz-trailer announced. */
function checksumClaims(
  request: Request,
  trailers: ReadonlyMap<string, string>,
): Map<ChecksumAlgorithm, string> {
  const announced = (request.headers.get("x-amz-trailer") ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase());
  const fromTrailers = announced
    .filter((name) => name !== "")
    .map((name): [string, string] => [name, trailers.get(name) ?? missingTrailer()]);
  const claims = new Map<ChecksumAlgorithm, string>();
  for (const [name, value] of [...request.headers, ...fromTrailers]) {
    const suffix = /^x-amz-checksum-(.+)$/u.exec(name)?.[1];
    if (suffix === undefined || suffix === "algorithm" || suffix === "type" || suffix === "mode") continue;
    if (!isChecksumAlgorithm(suffix))
      throw new ServiceError(
        501,
        "NotImplemented",
        "A header you provided implies functionality that is not implemented",
        {
          fields: { Header: name },
        },
      );
    claims.set(suffix, value);
  }
  if (claims.size > 1)
    throw new ServiceError(
      400,
      "InvalidRequest",
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  return claims;
}

function missingTrailer(): never {
  throw new ServiceError(
    400,
    "MalformedTrailerError",
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  );
}

function checkClaim(algorithm: ChecksumAlgorithm, claimed: string, body: Buffer): void {
  const right = checksum(algorithm, body);
  if (claimed === right) return;
  if (Buffer.from(claimed, "base64").length !== Buffer.from(right, "base64").length)
    throw new ServiceError(400, "InvalidRequest", `Value for x-amz-checksum-${algorithm} header is invalid.`);
  throw new ServiceError(
    400,
    "BadDigest",
    `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
  );
}

export function versionHeader(bucket: Bucket, version: StoredVersion): Record<string, string> {
  return bucket.versioning === "" ? {} : { "x-amz-version-id": version.versionId };
}

export function checksumHeaders(version: StoredVersion): Record<string, string> {
  const headers = [...version.checksums].map(([algorithm, value]) => [`x-amz-checksum-${algorithm}`, value]);
  return { ...Object.fromEntries(headers), "x-amz-checksum-type": "FULL_OBJECT" };
}
