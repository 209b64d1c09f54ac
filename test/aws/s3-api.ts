/** The S3 service: who may ask, in which region, and which handler answers. */
import { parameters, ServiceError } from "./http.ts";
import type { CallInfo, Clock, Description, Reply, Request, Service } from "./http.ts";
import type { IdentityStore } from "./identity.ts";
import { describeS3, readAddress } from "./s3-address.ts";
import { accessDenied, hostId, noSuchKey, preconditionFailed, renderS3Error } from "./s3-errors.ts";
import { getObject } from "./s3-get.ts";
import { listBuckets, listObjects, listVersions, xmlReply } from "./s3-list.ts";
import { putObject, unquote } from "./s3-put.ts";
import type { Bucket, S3Store } from "./s3-store.ts";
import { SignatureCheck } from "./sigv4-check.ts";
import type { Signer } from "./sigv4-check.ts";
import { escapeXml, textElement } from "./xml.ts";

interface Asked {
  readonly request: Request;
  readonly call: CallInfo;
  readonly signer: Signer;
  readonly query: URLSearchParams;
}

export class S3Service implements Service {
  readonly name = "s3";
  readonly #store: S3Store;
  readonly #signatures: SignatureCheck;
  readonly #account: string;

  constructor(store: S3Store, identities: IdentityStore, clock: Clock) {
    this.#store = store;
    this.#signatures = new SignatureCheck(identities, clock);
    this.#account = identities.account;
  }

  describe(request: Request): Description {
    return describeS3(request);
  }

  handle(request: Request, call: CallInfo): Reply {
    const signer = this.#signatures.verify(request, "s3", "s3");
    call.arn = signer.credentials.arn;
    const reply = this.#answer({ request, call, signer, query: parameters(request.query) });
    return withIds(reply, call);
  }

  renderError(error: ServiceError, request: Request, call: CallInfo): Reply {
    return withIds(renderS3Error(error, request, call), call);
  }

  #answer(asked: Asked): Reply {
    const { operation, detail } = asked.call;
    this.#authorize(asked);
    if (operation === "ListBuckets") return listBuckets(this.#store.buckets.values(), this.#account);
    if (operation === "CreateBucket") return this.#createBucket(asked);
    if (operation === "Unknown" || operation === "CopyObject") throw notImplemented(asked.request);
    const bucket = this.#bucket(asked);
    this.#checkOwner(asked);
    if (detail.key !== undefined) return this.#object(bucket, detail.key, asked);
    switch (operation) {
      case "HeadBucket":
        return { status: 200, headers: { "x-amz-bucket-region": bucket.region } };
      case "GetBucketLocation":
        return xmlReply("LocationConstraint", bucket.region === "us-east-1" ? "" : escapeXml(bucket.region));
      case "GetBucketVersioning":
        return xmlReply(
          "VersioningConfiguration",
          bucket.versioning === "" ? "" : textElement("Status", bucket.versioning),
        );
      case "PutBucketVersioning":
        bucket.versioning = /<Status>Enabled<\/Status>/u.test(asked.request.body.toString())
          ? "Enabled"
          : "Suspended";
        return { status: 200 };
      case "ListObjectVersions":
        return listVersions(bucket, asked.request);
      default:
        return listObjects(bucket, asked.request, operation === "ListObjectsV2");
    }
  }

  #object(bucket: Bucket, key: string, asked: Asked): Reply {
    const versionId = asked.query.get("versionId") ?? undefined;
    switch (asked.call.operation) {
      case "PutObject":
        return putObject(this.#store, bucket, key, asked.request);
      case "DeleteObject":
        return this.#deleteObject(bucket, key, versionId, asked.request);
      default:
        return getObject(
          this.#store,
          bucket,
          { key, versionId, arn: asked.signer.credentials.arn },
          asked.request,
        );
    }
  }

  #deleteObject(bucket: Bucket, key: string, versionId: string | undefined, request: Request): Reply {
    const ifMatch = request.headers.get("if-match");
    const current = bucket.objects.get(key)?.[0];
    if (ifMatch !== undefined && (current === undefined || current.deleteMarker)) throw noSuchKey(key);
    if (ifMatch !== undefined && ifMatch !== "*" && unquote(ifMatch) !== unquote(current?.etag ?? ""))
      throw preconditionFailed("If-Match");
    const removed =
      versionId === undefined
        ? this.#store.remove(bucket, key)
        : this.#store.removeVersion(bucket, key, versionId);
    if (removed === undefined) return { status: 204 };
    const marker = removed.deleteMarker ? { "x-amz-delete-marker": "true" } : {};
    return { status: 204, headers: { "x-amz-version-id": removed.versionId, ...marker } };
  }

  #createBucket({ request, call, signer }: Asked): Reply {
    const name = call.detail.bucket ?? "";
    const region = /<LocationConstraint>([^<]+)</u.exec(request.body.toString())?.[1] ?? signer.region;
    // "BucketAlreadyOwnedByYou … in all Regions except us-east-1", which answers 200 (CreateBucket, S3 API Reference).
    const before = this.#store.buckets.get(name);
    if (before?.region === "us-east-1" && region === "us-east-1")
      return { status: 200, headers: { location: `/${name}` } };
    if (before !== undefined)
      throw new ServiceError(
        409,
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it.",
        { fields: { BucketName: name } },
      );
    this.#store.createBucket(name, { region });
    return { status: 200, headers: { location: `/${name}` } };
  }

  #authorize({ call, signer }: Asked): void {
    if (!this.#store.denied.has(call.operation)) return;
    const { bucket, key } = call.detail;
    const resource = `arn:aws:s3:::${[bucket, key].filter((part) => part !== undefined).join("/")}`;
    throw accessDenied(signer.credentials.arn, `s3:${call.operation}`, resource);
  }

  /** "Verifying bucket ownership with bucket owner condition" (S3 User Guide): another owner is a 403 AccessDenied. */
  #checkOwner({ request, call, signer }: Asked): void {
    const expected = request.headers.get("x-amz-expected-bucket-owner");
    if (expected === undefined || expected === this.#account) return;
    throw accessDenied(
      signer.credentials.arn,
      `s3:${call.operation}`,
      `arn:aws:s3:::${call.detail.bucket ?? ""}`,
    );
  }

  #bucket({ request, call, signer }: Asked): Bucket {
    const name = call.detail.bucket ?? "";
    const bucket = this.#store.buckets.get(name);
    if (bucket === undefined)
      throw new ServiceError(404, "NoSuchBucket", "The specified bucket does not exist", {
        fields: { BucketName: name },
      });
    const asked = readAddress(request).hostRegion ?? signer.region;
    if (asked !== bucket.region) throw wrongRegion(this.#store, bucket, asked, request);
    if (signer.region !== bucket.region) throw malformed(bucket, signer.region);
    return bucket;
  }
}

/**
 * "Making requests: request redirection and the REST API" (S3 API Reference): 301 with the region in a header, 307
 * with a Location while DNS is still spreading, or 400 where the signature names another region.
 */
function wrongRegion(store: S3Store, bucket: Bucket, asked: string, request: Request): ServiceError {
  const headers = { "x-amz-bucket-region": bucket.region };
  const endpoint = `${bucket.name}.s3.${bucket.region}.amazonaws.com`;
  const fields = { Endpoint: endpoint, Bucket: bucket.name };
  switch (store.wrongRegion) {
    case "malformed":
      return malformed(bucket, asked);
    case "malformed without a header":
      // As emulators and gateways in front of S3 say it.
      return malformed(bucket, asked, {});
    case "temporary": {
      const location = `${request.tls ? "https" : "http"}://${endpoint}${request.path}`;
      const message =
        "Please re-send this request to the specified temporary endpoint. Continue to use the original request endpoint for future requests.";
      return new ServiceError(307, "TemporaryRedirect", message, {
        fields,
        headers: { ...headers, location },
      });
    }
    case "permanent":
      return new ServiceError(
        301,
        "PermanentRedirect",
        "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
        { fields, headers },
      );
  }
}

function malformed(
  bucket: Bucket,
  asked: string,
  headers: Readonly<Record<string, string>> = { "x-amz-bucket-region": bucket.region },
): ServiceError {
  return new ServiceError(
    400,
    "AuthorizationHeaderMalformed",
    `The authorization header is malformed; the region '${asked}' is wrong; expecting '${bucket.region}'`,
    { fields: { Region: bucket.region }, headers },
  );
}

function notImplemented(request: Request): ServiceError {
  return new ServiceError(
    501,
    "NotImplemented",
    `A header or query you provided implies functionality that is not implemented: ${request.method} ?${request.query}`,
  );
}

function withIds(reply: Reply, call: CallInfo): Reply {
  const ids = { "x-amz-request-id": call.requestId, "x-amz-id-2": hostId(call.requestId) };
  return { ...reply, headers: { ...reply.headers, ...ids } };
}
