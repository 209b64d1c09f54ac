/** Which bucket, key and operation a request means: "Virtual hosting of buckets" (Amazon S3 User Guide). */
import { parameters } from "./http.ts";
import type { CallDetail, Description, Request } from "./http.ts";
import { percentDecode } from "./sigv4.ts";

export interface S3Address {
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  /** of the endpoint's name, where it says one */
  readonly hostRegion: string | undefined;
}

/** BUCKET.s3.REGION.amazonaws.com, BUCKET.s3.amazonaws.com, BUCKET.localhost; everything else is path style. */
export function readAddress(request: Request): S3Address {
  const host = (request.headers.get("host") ?? "").replace(/:\d+$/u, "").toLowerCase();
  const amazon =
    /^(?:(.+)\.)?s3(?:[.-](?:dualstack\.)?([a-z]{2}-[a-z-]+-\d))?\.(?:amazonaws\.com|localhost)$/u.exec(host);
  const bucket = amazon?.[1] ?? /^(.+)\.localhost$/u.exec(host.replace(/^s3\.localhost$/u, ""))?.[1];
  const path = percentDecode(request.path.slice(1)).toString("utf8");
  const hostRegion = amazon?.[2];
  if (bucket !== undefined) return { bucket, key: path === "" ? undefined : path, hostRegion };
  const slash = path.indexOf("/");
  const name = slash < 0 ? path : path.slice(0, slash);
  const key = slash < 0 ? "" : path.slice(slash + 1);
  return { bucket: name === "" ? undefined : name, key: key === "" ? undefined : key, hostRegion };
}

const OBJECT_OPERATIONS: Readonly<Record<string, string>> = {
  GET: "GetObject",
  HEAD: "HeadObject",
  PUT: "PutObject",
  DELETE: "DeleteObject",
};

const BUCKET_OPERATIONS: Readonly<Record<string, string>> = {
  GET: "ListObjects",
  "GET list-type": "ListObjectsV2",
  "GET versions": "ListObjectVersions",
  "GET location": "GetBucketLocation",
  "GET versioning": "GetBucketVersioning",
  "PUT versioning": "PutBucketVersioning",
  HEAD: "HeadBucket",
  PUT: "CreateBucket",
};

/** Sub-resources that change what a method means. One that is not known here makes the operation Unknown (501). */
const SUBRESOURCES =
  /^(?:accelerate|acl|analytics|attributes|cors|delete|encryption|intelligent-tiering|inventory|legal-hold|lifecycle|list-type|location|logging|metrics|notification|object-lock|ownershipControls|partNumber|policy|policyStatus|publicAccessBlock|replication|requestPayment|restore|retention|select|tagging|torrent|uploadId|uploads|versioning|versions|website)$/u;

export function describeS3(request: Request): Description {
  const address = readAddress(request);
  const query = parameters(request.query);
  const versionId = query.get("versionId");
  const detail: CallDetail = {
    bytes: request.body.length,
    ...(address.bucket === undefined ? {} : { bucket: address.bucket }),
    ...(address.key === undefined ? {} : { key: address.key }),
    ...(versionId === null ? {} : { versionId }),
  };
  return { operation: nameOperation(request, address, query), detail };
}

function nameOperation(request: Request, address: S3Address, query: URLSearchParams): string {
  const subresources = [...query.keys()].filter((name) => SUBRESOURCES.test(name));
  const action = [request.method, ...subresources].join(" ");
  if (address.bucket === undefined) return action === "GET" ? "ListBuckets" : "Unknown";
  if (address.key === undefined) return BUCKET_OPERATIONS[action] ?? "Unknown";
  if (request.headers.has("x-amz-copy-source")) return "CopyObject";
  return OBJECT_OPERATIONS[action] ?? "Unknown";
}
