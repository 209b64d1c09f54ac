import { randomBytes } from "node:crypto";
import { linkSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SealexecError } from "../../base/errors.ts";
import { refuseForeign, unwritable } from "../../base/files/write.ts";
import { etagOf, readText } from "./read.ts";
import type { SealedFileRef } from "./ref.ts";
import { printSealedText } from "./text.ts";
import type { SealedText } from "./text.ts";

/** What must be there for a write to take place: nothing, or the text with this digest. */
export type ExpectedText = { readonly kind: "absent" } | { readonly kind: "etag"; readonly etag: string };

/** What is there now, by the SHA-256 of its text. */
export function readTextRevision({ path }: SealedFileRef): ExpectedText {
  try {
    return { kind: "etag", etag: etagOf(readText(path)) };
  } catch (error) {
    if (error instanceof SealexecError && error.kind === "missing") return { kind: "absent" };
    throw error;
  }
}

/**
 * Writes a sealed file whole or not at all, only over what was expected: under another name beside it, then moved to its
 * own. Between the last look and the move, somebody else's change could still be lost; there is no way of the file system
 * against that, and git has the text before.
 *
 * @returns the new text's digest
 * @throws "conflict" if something else is there by now; "config" where it cannot be written
 */
export function writeSealedFile(ref: SealedFileRef, sealed: SealedText, expected: ExpectedText): string {
  const text = printSealedText(sealed);
  const { path } = ref;
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  try {
    writeFileSync(draft, text, { flag: "wx", mode: 0o644, flush: true });
    if (expected.kind === "absent") linkSync(draft, path);
    else replaceExpected(ref, draft, expected.etag);
  } catch (error) {
    if (error instanceof SealexecError) throw error;
    const isTaken = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw isTaken ? conflict("there is a file already") : unwritable(error, path, "");
  } finally {
    removeDraft(draft);
  }
  return etagOf(text);
}

function replaceExpected(ref: SealedFileRef, draft: string, etag: string): void {
  refuseForeign(ref.path, "");
  const now = readTextRevision(ref);
  if (now.kind !== "etag" || now.etag !== etag) throw conflict("the file is no longer the one expected");
  renameSync(draft, ref.path);
}

function conflict(says: string): SealexecError {
  return new SealexecError("conflict", says, {
    hint: "somebody was quicker: look at what is there (sealexec pull -v), then push again; nothing was overwritten",
  });
}

function removeDraft(draft: string): void {
  try {
    unlinkSync(draft);
  } catch {
    // Renamed away, or never made.
  }
}
