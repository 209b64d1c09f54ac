import { contextField, type Fields } from "./fields.ts";
import type { Metadata } from "./format.ts";
import { revisionOf } from "./revision.ts";

/**
 * The revision that an object's metadata claims, for the one who writes the next. Nothing is verified, and what is not a
 * sealed object has none.
 *
 * @throws SealexecError "data" as revisionOf
 */
export function claimedRevision(metadata: Metadata): number | undefined {
  const fields: Fields = { from: "metadata", values: metadata };
  const names = ["x-amz-matdesc", "x-amz-m", "x-amz-t"] as const;
  return revisionOf(Object.assign({}, ...names.map((name) => contextField(fields, name))));
}
