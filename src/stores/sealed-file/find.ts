import { SealexecError } from "../../base/errors.ts";
import { refuseForeign } from "../../base/files/write.ts";
import type { SealedObject, Tools } from "../source.ts";
import { refuseSlip } from "./ref.ts";
import type { SealedFileRef } from "./ref.ts";
import { sealedFileSource } from "./store.ts";
import { readTextRevision } from "./write.ts";

/** What lies where a sealed file is to be written. */
export type FoundFile =
  | { readonly kind: "absent" }
  | { readonly kind: "there"; readonly etag: string; readonly object: SealedObject }
  /** it is no sealed file, or a damaged one */
  | { readonly kind: "unreadable"; readonly etag: string; readonly why: string };

/** @throws "config" if what is there cannot be read, or is not to be replaced: a write would leave another file than was read */
export async function findSealedFile(ref: SealedFileRef, tools: Tools): Promise<FoundFile> {
  refuseForeign(ref.path, "");
  const text = readTextRevision(ref);
  if (text.kind === "absent") {
    refuseSlip(ref.path);
    return text;
  }
  try {
    const content = await sealedFileSource(ref).read(tools);
    if (content.kind !== "sealed") throw new SealexecError("internal", "a sealed file that is not sealed");
    const { sealed: object } = content;
    return { kind: "there", etag: object.etag ?? text.etag, object };
  } catch (error) {
    if (!(error instanceof SealexecError) || error.kind !== "data") throw error;
    return { kind: "unreadable", etag: text.etag, why: error.message };
  }
}
