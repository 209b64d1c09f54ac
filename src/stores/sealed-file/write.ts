/** What a push does with a sealed file: it looks, and it writes over nothing but what it has seen. */
import { linkSync, renameSync } from "node:fs";
import { SealexecError } from "../../base/errors.ts";
import { refuseForeign, unwritable, writeWhole } from "../../base/files/write.ts";
import type { SealedObject, Tools } from "../source.ts";
import { etagOf, readText } from "./read.ts";
import { refuseSlip } from "./ref.ts";
import type { SealedFileRef } from "./ref.ts";
import { sealedFileSource } from "./store.ts";
import { printSealedText } from "./text.ts";
import type { SealedText } from "./text.ts";

/** What must be there for a write to take place: nothing, or the text with this digest. */
export type ExpectedText = { readonly kind: "absent" } | { readonly kind: "etag"; readonly etag: string };

type FoundFile =
  | { readonly kind: "absent" }
  | { readonly kind: "there"; readonly etag: string; readonly object: SealedObject }
  /** it is no sealed file, or a damaged one */
  | { readonly kind: "unreadable"; readonly etag: string; readonly why: string };

/** @throws "config" if what is there cannot be read, or is not to be replaced; "usage" for a slip in the URI */
export async function findSealedFile(ref: SealedFileRef, tools: Tools): Promise<FoundFile> {
  refuseForeign(ref.path, "");
  const text = textNow(ref);
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

function textNow({ path }: SealedFileRef): ExpectedText {
  try {
    return { kind: "etag", etag: etagOf(readText(path)) };
  } catch (error) {
    if (error instanceof SealexecError && error.kind === "missing") return { kind: "absent" };
    throw error;
  }
}

/**
 * Writes a sealed file whole or not at all, and gives its digest. A change between the last look and the move
 * could still be lost: the file system has no way against that, and git has the text before.
 */
export function writeSealedFile(ref: SealedFileRef, sealed: SealedText, expected: ExpectedText): string {
  const text = printSealedText(sealed);
  const { path } = ref;
  try {
    writeWhole(path, Buffer.from(text), 0o644, (draft) => {
      if (expected.kind === "absent") return linkSync(draft, path);
      refuseForeign(path, "");
      const now = textNow(ref);
      if (now.kind !== "etag" || now.etag !== expected.etag)
        throw conflict("the file is no longer the one expected");
      renameSync(draft, path);
    });
  } catch (error) {
    if (error instanceof SealexecError) throw error;
    const isTaken = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw isTaken ? conflict("there is a file already") : unwritable(error, path, "");
  }
  return etagOf(text);
}

function conflict(says: string): SealexecError {
  return new SealexecError("conflict", says, {
    hint: "somebody was quicker: look at what is there (sealexec pull -v), then push again; nothing was overwritten",
  });
}
