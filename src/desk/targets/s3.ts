/** `sealexec push` to S3: sealed on this machine, and never over somebody else's change. */
import { SealexecError } from "../../base/errors.ts";
import { needsAws } from "../../keys/key.ts";
import { findObject } from "../../stores/s3/find.ts";
import { LARGEST_OBJECT_BYTES } from "../../stores/s3/read.ts";
import { S3_GRAMMAR, placeOf, s3Ref } from "../../stores/s3/ref.ts";
import { s3Need } from "../../stores/s3/store.ts";
import { writeObject, type Expected } from "../../stores/s3/write.ts";
import type { PushOptions, TargetStore } from "../target.ts";
import { sealedTarget, type FoundSealed } from "./sealed.ts";

export const s3: TargetStore = {
  grammar: S3_GRAMMAR,
  target: (parsed, options, context) => {
    const ref = s3Ref(parsed);
    if (ref.versionId !== undefined)
      throw new SealexecError("usage", "a push makes a new version: the URI may not name one");
    const name = placeOf(ref);
    const target = sealedTarget(
      {
        name,
        noun: "object",
        binding: name,
        dialect: ref.dialect,
        largestBodyBytes: LARGEST_OBJECT_BYTES,
        need: s3Need(ref),
        isHere: false,
        find: (tools) => findObject(ref, tools),
        write: async (sealed, found, tools) => {
          const expected = expectedOf(found, options);
          const { etag, versionId } = await writeObject(ref, sealed, expected, tools);
          return { etag, versionId, version: versionId ?? "none: the bucket is not versioned" };
        },
      },
      options,
      context,
    );
    refuseLocalKey(options);
    return target;
  },
};

function expectedOf(found: FoundSealed, { create, ifMatch }: PushOptions): Expected {
  if (found.kind === "there" || found.kind === "unreadable") return { kind: "etag", etag: found.etag };
  return ifMatch === undefined || create ? { kind: "absent" } : { kind: "etag", etag: ifMatch };
}

// S3 is for machines, which open by KMS.
function refuseLocalKey({ key }: PushOptions): void {
  if (needsAws(key)) return;
  const hint = "name a key of KMS: its id, ARN or alias";
  throw new SealexecError("usage", "--key: a local key is for sealed files (file:PATH), not for S3", {
    hint,
  });
}
