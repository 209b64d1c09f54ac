import { directObject, directService } from "../../aws/endpoint.ts";
import { defined } from "../../base/defined.ts";
import type { AwsNeed } from "../../aws/session.ts";
import type { Content, Store, StoreSource, Tools } from "../source.ts";
import { S3_GRAMMAR, formatS3Uri, placeOf, s3Ref } from "./ref.ts";
import type { S3Ref } from "./ref.ts";

/** Sealed objects in S3. */
export const s3: Store = { grammar: S3_GRAMMAR, source: (parsed) => s3Source(s3Ref(parsed)) };

export function s3Source(ref: S3Ref): StoreSource {
  return {
    uri: formatS3Uri(ref),
    gives: "sealed",
    aws: s3Need(ref),
    ...defined({ dialect: ref.dialect }),
    prepare: loadRead,
    place: placeOf(ref),
    dated: true,
    read: (tools) => readSealed(ref, tools),
    // A version never changes.
    ...(ref.versionId === undefined
      ? { look: async (etag, tools) => (await loadRead()).changedEtag(ref, etag, tools) }
      : {}),
  };
}

// Signing loads node:crypto: not before the first request for credentials has left.
const loadRead = () => import("./read.ts");

/** What reading an object, or writing one, wants of AWS. */
export function s3Need(ref: S3Ref): AwsNeed {
  return {
    home: ref.bucket,
    ...defined({ region: ref.region }),
    urls: (region, kmsRegion, env) => [
      directObject(ref.bucket, ref.key, region, env),
      directService("kms", kmsRegion, env),
    ],
  };
}

async function readSealed(ref: S3Ref, tools: Tools): Promise<Content> {
  const { readObject } = await loadRead();
  const object = await readObject(ref, tools);
  const { versionId: _, ...newest } = ref;
  // It has no version of its own to pin.
  const file = { ...newest, key: `${ref.key}.instruction` };
  const instructionFile = { uri: formatS3Uri(file), read: async () => (await readObject(file, tools)).body };
  const sealed = { ...object, place: placeOf(ref), located: s3Need(ref), instructionFile };
  return { kind: "sealed", validator: object.etag, sealed };
}
