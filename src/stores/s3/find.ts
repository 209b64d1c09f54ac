/** What a push finds at its place in S3, with the time that S3 told as it answered. */
import { SealexecError } from "../../base/errors.ts";
import type { SealedObject, Tools } from "../source.ts";
import type { S3Ref } from "./ref.ts";
import { s3Source } from "./store.ts";
import { parseHttpDate } from "./times.ts";
import { headObject } from "./write.ts";

export type Found = FoundKind & {
  /** S3's own time, milliseconds since 1970; undefined: it told none */
  readonly date: number | undefined;
};

type FoundKind =
  | { readonly kind: "absent" }
  /** it may not be read */
  | { readonly kind: "hidden"; readonly error: SealexecError }
  | { readonly kind: "there"; readonly etag: string; readonly object: SealedObject }
  /** its body cannot be taken, and why: too large, archived */
  | { readonly kind: "unreadable"; readonly etag: string; readonly why: string };

/** Reads the object whole, in one GetObject; what cannot be read is asked for its ETag. */
export async function findObject(ref: S3Ref, tools: Tools): Promise<Found> {
  try {
    const content = await s3Source(ref).read(tools);
    if (content.kind !== "sealed") throw new SealexecError("internal", "an object that is not sealed");
    const { sealed: object } = content;
    return { kind: "there", etag: needed(object.etag), object, date: object.date };
  } catch (error) {
    if (!(error instanceof SealexecError)) throw error;
    const date = dateOf(error);
    switch (error.kind) {
      case "missing":
        // Nothing can be written there: it is said before a data key is made.
        if (error.code === "no-such-bucket") throw error;
        return { kind: "absent", date };
      case "denied":
        // No, or bad, credentials are not about the object: nothing can be written with them.
        if (error.code !== "access-denied") throw error;
        return { kind: "hidden", error, date };
      case "data":
      case "config": {
        // Too large, or archived: it is there. A clock that is off, say, tells nothing of it.
        if (error.kind === "config" && error.code !== "object-archived") throw error;
        const head = await headObject(ref, tools);
        return { kind: "unreadable", etag: needed(head.etag), why: error.message, date: head.date };
      }
      default:
        throw error;
    }
  }
}

function needed(etag: string | undefined): string {
  if (etag !== undefined) return etag;
  const hint = "check the S3 endpoint, and what stands between here and there";
  throw new SealexecError("unavailable", "GetObject: the answer holds no ETag", { hint });
}

/** A refusal has a Date as every answer has. */
function dateOf({ cause }: SealexecError): number | undefined {
  const { $response } = (cause ?? {}) as {
    readonly $response?: { readonly headers?: Record<string, string> };
  };
  return parseHttpDate($response?.headers?.["date"]);
}
