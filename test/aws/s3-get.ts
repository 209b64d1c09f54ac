/** GetObject and HeadObject (S3 API Reference). */
import { ServiceError } from "./http.ts";
import type { Reply, Request } from "./http.ts";
import { encodeHeaderValue } from "./rfc2047.ts";
import { accessDenied, noSuchKey, preconditionFailed } from "./s3-errors.ts";
import { checksumHeaders, unquote, versionHeader } from "./s3-put.ts";
import type { Bucket, S3Store, StoredVersion } from "./s3-store.ts";

export interface Wanted {
  readonly key: string;
  readonly versionId: string | undefined;
  /** of the caller, for the message where it may not know what is missing */
  readonly arn: string;
}

export function getObject(store: S3Store, bucket: Bucket, wanted: Wanted, request: Request): Reply {
  const version = findVersion(store, bucket, wanted);
  const unchanged = store.readsConditionally && checkConditions(request, version);
  const headers = objectHeaders(bucket, version);
  if (unchanged) return { status: 304, headers };
  const range = readRange(request.headers.get("range"), version.body.length);
  if (range === undefined) {
    const asked = request.headers.get("x-amz-checksum-mode")?.toUpperCase() === "ENABLED";
    return {
      status: 200,
      headers: { ...headers, ...(asked ? checksumHeaders(version) : {}) },
      body: version.body,
    };
  }
  const [from, to] = range;
  return {
    status: 206,
    headers: { ...headers, "content-range": `bytes ${from}-${to}/${version.body.length}` },
    body: version.body.subarray(from, to + 1),
  };
}

/** Without s3:ListBucket a missing key is a 403 ("Permissions" of GetObject); delete markers are 404, or 405 by version. */
function findVersion(store: S3Store, bucket: Bucket, wanted: Wanted): StoredVersion {
  const versions = bucket.objects.get(wanted.key) ?? [];
  if (wanted.versionId === "")
    throw new ServiceError(400, "InvalidArgument", "Version id cannot be the empty string", {
      fields: { ArgumentName: "versionId", ArgumentValue: "" },
    });
  const found =
    wanted.versionId === undefined
      ? versions[0]
      : versions.find((version) => version.versionId === wanted.versionId);
  if (found !== undefined && !found.deleteMarker) return found;
  const marker =
    found === undefined ? {} : { "x-amz-delete-marker": "true", "x-amz-version-id": found.versionId };
  if (found !== undefined && wanted.versionId !== undefined)
    throw new ServiceError(
      405,
      "MethodNotAllowed",
      "The specified method is not allowed against this resource.",
      {
        fields: { Method: "GET", ResourceType: "DeleteMarker" },
        headers: { ...marker, allow: "DELETE" },
      },
    );
  if (!store.listAllowed) throw accessDenied(wanted.arn, "s3:ListBucket", `arn:aws:s3:::${bucket.name}`);
  if (wanted.versionId === undefined) throw noSuchKey(wanted.key, marker);
  throw new ServiceError(404, "NoSuchVersion", "The specified version does not exist.", {
    fields: { Key: wanted.key, VersionId: wanted.versionId },
  });
}

/** RFC 9110 section 13, as in "Conditional reads" (S3 User Guide). True: answer 304. */
function checkConditions(request: Request, version: StoredVersion): boolean {
  const header = (name: string): string | undefined => request.headers.get(name);
  const seconds = Math.floor(version.lastModified / 1000) * 1000;
  const ifMatch = header("if-match");
  const ifNoneMatch = header("if-none-match");
  const unmodifiedSince = Date.parse(header("if-unmodified-since") ?? "");
  const modifiedSince = Date.parse(header("if-modified-since") ?? "");
  if (ifMatch !== undefined && !matches(ifMatch, version)) throw preconditionFailed("If-Match");
  if (ifMatch === undefined && seconds > unmodifiedSince) throw preconditionFailed("If-Unmodified-Since");
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, version);
  return seconds <= modifiedSince;
}

function matches(condition: string, version: StoredVersion): boolean {
  return (
    condition.trim() === "*" || condition.split(",").some((etag) => unquote(etag) === unquote(version.etag))
  );
}

function objectHeaders(bucket: Bucket, version: StoredVersion): Record<string, string> {
  const metadata = [...version.rawMetadata].map(([name, value]) => [
    `x-amz-meta-${name}`,
    encodeHeaderValue(value),
  ]);
  return {
    ...version.headers,
    etag: version.etag,
    "last-modified": new Date(version.lastModified).toUTCString(),
    "accept-ranges": "bytes",
    "x-amz-server-side-encryption": "AES256",
    ...versionHeader(bucket, version),
    ...Object.fromEntries(metadata),
  };
}

/** One byte range, both ends inclusive (RFC 9110 section 14.1.2); several, or nonsense, mean the whole object. */
function readRange(header: string | undefined, size: number): [number, number] | undefined {
  const match = /^bytes=(\d*)-(\d*)$/u.exec(header ?? "");
  if (match === null || header === undefined) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && first !== "" && Number(last) < Number(first)) return undefined;
  if (from < size && from <= to) return [from, to];
  throw new ServiceError(416, "InvalidRange", "The requested range is not satisfiable", {
    fields: { RangeRequested: header, ActualObjectSize: String(size) },
    headers: { "content-range": `bytes */${size}` },
  });
}
