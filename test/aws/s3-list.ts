/** ListObjectsV2, ListObjects, ListObjectVersions, ListBuckets (S3 API Reference). */
import { parameters } from "./http.ts";
import type { Reply, Request } from "./http.ts";
import { uriEncode } from "./sigv4.ts";
import type { Bucket, StoredVersion } from "./s3-store.ts";
import { element, textElement, textElements, XML_DECLARATION } from "./xml.ts";

const NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

export function xmlReply(root: string, ...children: string[]): Reply {
  return {
    status: 200,
    headers: { "content-type": "application/xml" },
    body: XML_DECLARATION + element(`${root} ${NAMESPACE}`, ...children),
  };
}

interface Query {
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
  /** names are URL-encoded where encoding-type=url asks for it */
  readonly encode: (text: string) => string;
}

function readQuery(query: URLSearchParams): Query {
  const url = query.get("encoding-type") === "url";
  const encodePath = (text: string): string =>
    text
      .split("/")
      .map((part) => uriEncode(Buffer.from(part)))
      .join("/");
  return {
    prefix: query.get("prefix") ?? "",
    delimiter: query.get("delimiter") ?? "",
    maxKeys: Math.min(Number(query.get("max-keys") ?? "1000"), 1000),
    encode: url ? encodePath : (text) => text,
  };
}

/** Keys are in the order of their UTF-8 bytes. */
function sortedKeys(bucket: Bucket, prefix: string): string[] {
  const keys = [...bucket.objects.keys()].filter((key) => key.startsWith(prefix));
  return keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** The folder that a key is rolled up into, or undefined. */
function commonPrefix(key: string, query: Query): string | undefined {
  if (query.delimiter === "") return undefined;
  const at = key.indexOf(query.delimiter, query.prefix.length);
  return at < 0 ? undefined : key.slice(0, at + query.delimiter.length);
}

function prefixElements(prefixes: Iterable<string>, query: Query): string {
  return [...prefixes]
    .map((prefix) => element("CommonPrefixes", textElement("Prefix", query.encode(prefix))))
    .join("");
}

export function listObjects(bucket: Bucket, request: Request, isV2: boolean): Reply {
  const parsed = parameters(request.query);
  const query = readQuery(parsed);
  const token = parsed.get("continuation-token");
  const start = isV2 ? parsed.get("start-after") : parsed.get("marker");
  const after = token === null ? (start ?? "") : Buffer.from(token, "base64").toString("utf8");
  const contents: string[] = [];
  const prefixes = new Set<string>();
  let last = "";
  let truncated = false;
  for (const key of sortedKeys(bucket, query.prefix)) {
    const version = bucket.objects.get(key)?.[0];
    const prefix = commonPrefix(key, query);
    if (version === undefined || version.deleteMarker || (prefix ?? key) <= after) continue;
    if (prefix !== undefined && prefixes.has(prefix)) continue;
    truncated = contents.length + prefixes.size >= query.maxKeys;
    if (truncated) break;
    last = prefix ?? key;
    if (prefix === undefined) contents.push(element("Contents", objectElements(version, query)));
    else prefixes.add(prefix);
  }
  return xmlReply(
    "ListBucketResult",
    textElements({
      Name: bucket.name,
      Prefix: query.encode(query.prefix),
      MaxKeys: query.maxKeys,
      IsTruncated: truncated,
    }),
    isV2 ? textElement("KeyCount", contents.length + prefixes.size) : "",
    isV2 && truncated ? textElement("NextContinuationToken", Buffer.from(last).toString("base64")) : "",
    !isV2 && truncated ? textElement("NextMarker", query.encode(last)) : "",
    contents.join(""),
    prefixElements(prefixes, query),
  );
}

function objectElements(version: StoredVersion, query: Query): string {
  return textElements({
    Key: query.encode(version.key),
    LastModified: new Date(version.lastModified).toISOString(),
    ETag: version.etag,
    Size: version.body.length,
    StorageClass: "STANDARD",
  });
}

/** Newest first within a key; key-marker and version-id-marker say where the last page ended. */
export function listVersions(bucket: Bucket, request: Request): Reply {
  const parsed = parameters(request.query);
  const query = readQuery(parsed);
  const all = sortedKeys(bucket, query.prefix).flatMap((key) =>
    (bucket.objects.get(key) ?? []).map((version, index) => ({ version, isLatest: index === 0 })),
  );
  const rolledUp = all.filter(({ version }) => commonPrefix(version.key, query) !== undefined);
  const prefixes = new Set(rolledUp.map(({ version }) => commonPrefix(version.key, query) ?? ""));
  const single = all.filter(({ version }) => commonPrefix(version.key, query) === undefined);
  const from = startOf(single, parsed);
  const page = single.slice(from, from + query.maxKeys);
  const truncated = from + page.length < single.length;
  const last = page.at(-1)?.version;
  const next = truncated && last !== undefined;
  return xmlReply(
    "ListVersionsResult",
    textElements({
      Name: bucket.name,
      Prefix: query.encode(query.prefix),
      MaxKeys: query.maxKeys,
      IsTruncated: truncated,
    }),
    next ? textElements({ NextKeyMarker: query.encode(last.key), NextVersionIdMarker: last.versionId }) : "",
    page.map(({ version, isLatest }) => versionElement(version, isLatest, query)).join(""),
    prefixElements(prefixes, query),
  );
}

function startOf(list: readonly { version: StoredVersion }[], query: URLSearchParams): number {
  const keyMarker = query.get("key-marker");
  const versionMarker = query.get("version-id-marker");
  if (keyMarker === null || keyMarker === "") return 0;
  const exact = list.findIndex(
    ({ version }) => version.key === keyMarker && version.versionId === versionMarker,
  );
  if (exact >= 0) return exact + 1;
  const after = list.findIndex(({ version }) => version.key > keyMarker);
  return after < 0 ? list.length : after;
}

function versionElement(version: StoredVersion, isLatest: boolean, query: Query): string {
  const common = textElements({
    Key: query.encode(version.key),
    VersionId: version.versionId,
    IsLatest: isLatest,
  });
  const modified = textElement("LastModified", new Date(version.lastModified).toISOString());
  if (version.deleteMarker) return element("DeleteMarker", common, modified);
  const rest = textElements({ ETag: version.etag, Size: version.body.length, StorageClass: "STANDARD" });
  return element("Version", common, modified, rest);
}

export function listBuckets(buckets: Iterable<Bucket>, account: string): Reply {
  const items = [...buckets].map((bucket) =>
    element(
      "Bucket",
      textElements({
        Name: bucket.name,
        BucketRegion: bucket.region,
        CreationDate: "2024-01-01T00:00:00.000Z",
      }),
    ),
  );
  return xmlReply(
    "ListAllMyBucketsResult",
    element("Owner", textElement("ID", account)),
    element("Buckets", ...items),
  );
}
