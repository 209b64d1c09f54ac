/** What GetObject gave. */
import type { Metadata } from "../../envelope/format.ts";

export interface S3Object {
  readonly metadata: Metadata;
  readonly body: Uint8Array;
  readonly etag: string | undefined;
  readonly versionId: string | undefined;
  /** S3's own time as it answered, milliseconds since 1970; undefined where its answer does not say */
  readonly date: number | undefined;
  /** when this version was written, by S3's own time, milliseconds since 1970 */
  readonly lastModified: number | undefined;
}
