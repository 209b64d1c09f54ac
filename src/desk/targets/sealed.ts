/** What S3 and sealed files have in common: what is there is opened, and the next revision is sealed over it. */
import type { Context } from "../../base/context.ts";
import type { Dialect } from "../../text/dialect.ts";
import { writerContext } from "../../envelope/index.ts";
import type { EncryptionContext } from "../../envelope/index.ts";
import { SealexecError } from "../../base/errors.ts";
import type { SealedObject, Tools } from "../../stores/source.ts";
import { openPresent } from "../opening.ts";
import { chooseRevision } from "../revision.ts";
import type { Moment } from "../revision.ts";
import { sealedDialect } from "../../keys/seal.ts";
import type { Key } from "../../keys/key.ts";
import { chosenKey } from "../options.ts";
import type { CheckedFile, Present, PushOptions } from "../target.ts";

/** A push of something sealed. */
export interface SealedJob {
  /** for people */
  readonly name: string;
  readonly key: Key;
  readonly options: PushOptions;
  readonly dialect: Dialect | undefined;
  /** to seal under, with this revision */
  readonly contextWith: (revision: number | undefined) => EncryptionContext;
}

/** @param place what it is bound to, unless the options say that it is not */
export function sealedJob(
  name: string,
  place: string,
  dialect: Dialect | undefined,
  options: PushOptions,
): SealedJob {
  const { format, context: user, bind } = options;
  const bound = bind ? place : undefined;
  const said = sealedDialect(dialect);
  const contextWith: SealedJob["contextWith"] = (revision) =>
    writerContext(format, user, bound, revision, said);
  return { name, key: chosenKey(options), options, dialect, contextWith };
}

/** What lies where the sealed text is to be written. */
export type FoundSealed =
  | { readonly kind: "absent" }
  /** it may not be read */
  | { readonly kind: "hidden"; readonly error: SealexecError }
  | { readonly kind: "there"; readonly etag: string; readonly object: SealedObject }
  /** it cannot be taken for something sealed, and why */
  | { readonly kind: "unreadable"; readonly etag: string; readonly why: string };

export interface OpenedFound {
  readonly present: Present;
  /** its revision, as far as that counts */
  readonly before: number | undefined;
}

export async function openFound(
  found: FoundSealed,
  { name, key, options, dialect, contextWith }: SealedJob,
  file: CheckedFile,
  tools: Tools,
): Promise<OpenedFound> {
  switch (found.kind) {
    case "absent":
    case "hidden":
      return { present: found, before: undefined };
    case "unreadable": {
      const { etag, why } = found;
      const present = { kind: "there", etag, same: false, changes: undefined, why, state: { etag } } as const;
      return { present, before: undefined };
    }
    case "there": {
      const { etag, object } = found;
      const sealing = { key, format: options.format, encryptionContext: contextWith(undefined), dialect };
      const { before, ...opened } = await openPresent(name, object, file, sealing, tools);
      const isAsked = options.revision === undefined || options.revision === opened.state.revision;
      return { present: { kind: "there", etag, ...opened, same: opened.same && isAsked }, before };
    }
  }
}

/** The revision to write, and what to seal under; none for what is not bound. */
export function nextRevision(
  { name, options, contextWith }: SealedJob,
  before: number | undefined,
  moment: Moment,
  { log }: Context,
): { readonly revision: number | undefined; readonly encryptionContext: EncryptionContext } {
  const revision = options.bind ? chooseRevision(before, options.revision, moment) : undefined;
  if (revision !== undefined && before !== undefined && revision <= before)
    log.warn(`${name}: revision ${revision} is not above the one that is there, ${before}`);
  return { revision, encryptionContext: contextWith(revision) };
}
