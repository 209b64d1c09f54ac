import { createHash, randomBytes } from "node:crypto";
import { checksum } from "./checksums.ts";
import type { ChecksumAlgorithm } from "./checksums.ts";
import type { Clock } from "./http.ts";

/** One version of an object, or a delete marker (then the body is empty). */
export interface StoredVersion {
  readonly key: string;
  /** "null" in a bucket without versioning */
  readonly versionId: string;
  readonly deleteMarker: boolean;
  readonly body: Buffer;
  /** lower-case name without x-amz-meta- → value as bytes, one Latin-1 char each */
  readonly rawMetadata: ReadonlyMap<string, string>;
  /** Content-Type, Cache-Control and their like, given back as they came */
  readonly headers: Readonly<Record<string, string>>;
  /** in double quotes */
  readonly etag: string;
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, string>;
  readonly lastModified: number;
}

/** What a test sees of a version. */
export interface S3Object {
  readonly versionId: string;
  readonly deleteMarker: boolean;
  readonly body: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string | undefined;
  readonly etag: string;
}

export interface Bucket {
  readonly name: string;
  readonly region: string;
  versioning: "Enabled" | "Suspended" | "";
  /** key → versions, newest first; never an empty list */
  readonly objects: Map<string, StoredVersion[]>;
}

export interface NewObject {
  readonly body: Buffer;
  readonly rawMetadata: ReadonlyMap<string, string>;
  readonly headers: Readonly<Record<string, string>>;
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, string>;
}

/** What a bucket that is asked for in the wrong region answers; see "Redirecting requests" in s3-api.ts. */
export type WrongRegionAnswer = "permanent" | "temporary" | "malformed" | "malformed without a header";

/** Buckets and objects, and the switches that a test can turn. */
export class S3Store {
  /** false: a missing key answers 403, as to a caller without s3:ListBucket */
  listAllowed = true;
  /** false: the conditions of a read are not known, as to some other servers of S3 */
  readsConditionally = true;
  wrongRegion: WrongRegionAnswer = "permanent";
  /** operations that the caller may not do; each answers 403 AccessDenied */
  readonly denied = new Set<string>();
  readonly buckets = new Map<string, Bucket>();
  readonly #clock: Clock;
  readonly #region: string;

  constructor(clock: Clock, region: string) {
    this.#clock = clock;
    this.#region = region;
  }

  createBucket(name: string, options: { region?: string; versioning?: boolean } = {}): Bucket {
    const bucket: Bucket = {
      name,
      region: options.region ?? this.#region,
      versioning: (options.versioning ?? true) ? "Enabled" : "",
      objects: new Map(),
    };
    this.buckets.set(name, bucket);
    return bucket;
  }

  deny(operation: string): void {
    this.denied.add(operation);
  }

  allow(operation: string): void {
    this.denied.delete(operation);
  }

  /** Stores an object past every check, making the bucket where it is missing. CRC32, as the SDKs send by default. */
  put(
    bucketName: string,
    key: string,
    body: Buffer | Uint8Array | string,
    metadata: Readonly<Record<string, string>> = {},
  ): S3Object {
    const bytes = Buffer.from(body);
    const bucket = this.buckets.get(bucketName) ?? this.createBucket(bucketName);
    const raw = Object.entries(metadata).map(([name, value]): [string, string] => [
      name.toLowerCase(),
      Buffer.from(value, "utf8").toString("latin1"),
    ]);
    return visible(
      this.store(bucket, key, {
        body: bytes,
        rawMetadata: new Map(raw),
        headers: { "content-type": "binary/octet-stream" },
        checksums: new Map([["crc32", checksum("crc32", bytes)]]),
      }),
    );
  }

  /** The newest version, or the one named; undefined where there is none or it is a delete marker. */
  get(bucketName: string, key: string, versionId?: string): S3Object | undefined {
    const all = this.versions(bucketName, key);
    const found = versionId === undefined ? all[0] : all.find((version) => version.versionId === versionId);
    return found?.deleteMarker === true ? undefined : found;
  }

  /** Newest first, delete markers too. */
  versions(bucketName: string, key: string): S3Object[] {
    return (this.buckets.get(bucketName)?.objects.get(key) ?? []).map(visible);
  }

  /** Removes every version of a key. */
  purge(bucketName: string, key: string): void {
    this.buckets.get(bucketName)?.objects.delete(key);
  }

  store(bucket: Bucket, key: string, object: NewObject): StoredVersion {
    const etag = `"${createHash("md5").update(object.body).digest("hex")}"`;
    return this.#add(bucket, { ...object, key, etag, deleteMarker: false });
  }

  /** A simple DELETE: a marker on top ("Working with delete markers", S3 User Guide); undefined: it is gone for good. */
  remove(bucket: Bucket, key: string): StoredVersion | undefined {
    if (bucket.versioning === "") {
      bucket.objects.delete(key);
      return undefined;
    }
    const nothing = { body: Buffer.alloc(0), rawMetadata: new Map(), headers: {}, checksums: new Map() };
    return this.#add(bucket, { ...nothing, key, etag: "", deleteMarker: true });
  }

  removeVersion(bucket: Bucket, key: string, versionId: string): StoredVersion | undefined {
    const versions = bucket.objects.get(key) ?? [];
    const at = versions.findIndex((version) => version.versionId === versionId);
    if (at < 0) return undefined;
    const [removed] = versions.splice(at, 1);
    if (versions.length === 0) bucket.objects.delete(key);
    return removed;
  }

  #add(bucket: Bucket, version: Omit<StoredVersion, "versionId" | "lastModified">): StoredVersion {
    const versionId = bucket.versioning === "Enabled" ? randomBytes(24).toString("base64url") : "null";
    const added = { ...version, versionId, lastModified: this.#clock.now() };
    const kept = (bucket.objects.get(version.key) ?? []).filter(
      (old) => old.versionId !== "null" || versionId !== "null",
    );
    bucket.objects.set(version.key, [added, ...kept]);
    return added;
  }
}

function visible(version: StoredVersion): S3Object {
  const metadata = [...version.rawMetadata].map(([name, value]): [string, string] => [
    name,
    Buffer.from(value, "latin1").toString("utf8"),
  ]);
  return {
    versionId: version.versionId,
    deleteMarker: version.deleteMarker,
    body: version.body,
    metadata: Object.fromEntries(metadata),
    contentType: version.headers["content-type"],
    etag: version.etag,
  };
}
