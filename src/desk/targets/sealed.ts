/** A push to S3 or to a sealed file: what is there is opened, and the next revision is sealed over it. */
import type { AwsNeed } from "../../aws/session.ts";
import { step, type Context } from "../../base/context.ts";
import { defined } from "../../base/defined.ts";
import { SealexecError } from "../../base/errors.ts";
import { writerContext, type EncryptionContext } from "../../envelope/index.ts";
import { TAG_BYTES, sealUnder, sealedDialect, type Sealed } from "../../keys/seal.ts";
import { needsAws, type Key } from "../../keys/key.ts";
import { RunTools } from "../../sources/tools.ts";
import type { SealedObject } from "../../stores/source.ts";
import type { Dialect } from "../../text/dialect.ts";
import { openPresent } from "../opening.ts";
import { chooseRevision, type Moment } from "../revision.ts";
import { chosenKey } from "../target.ts";
import type { CheckedFile, Fact, Look, Present, PushOptions, Target, Written } from "../target.ts";

/** Where something sealed is to be written. */
export interface SealedPlace {
  /** for people */
  readonly name: string;
  readonly noun: Target["noun"];
  /** what it is bound to, unless the options say that it is not */
  readonly binding: string;
  readonly dialect: Dialect | undefined;
  readonly largestBodyBytes: number;
  readonly need: AwsNeed;
  /** it is on this machine: nobody is asked for a key before what lies there may be written over */
  readonly isHere: boolean;
  /** Looks at what lies there, before sealing: a change that comes after it is somebody else's. */
  find(tools: RunTools): Promise<FoundSealed>;
  /** Writes only over what was found. */
  write(sealed: Sealed, found: FoundSealed, tools: RunTools): Promise<Stored>;
}

export type FoundSealed = { readonly date?: number | undefined } & (
  | { readonly kind: "absent" }
  /** it may not be read */
  | { readonly kind: "hidden"; readonly error: SealexecError }
  | { readonly kind: "there"; readonly etag: string; readonly object: SealedObject }
  /** it cannot be taken for something sealed, and why */
  | { readonly kind: "unreadable"; readonly etag: string; readonly why: string }
);

export interface Stored {
  readonly etag: string | undefined;
  /** as people are told of it; absent: the place has no versions */
  readonly version?: string | undefined;
  readonly versionId?: string | undefined;
}

interface Job {
  readonly place: SealedPlace;
  readonly key: Key;
  readonly options: PushOptions;
  /** to seal under, with this revision */
  readonly contextWith: (revision: number | undefined) => EncryptionContext;
}

export function sealedTarget(place: SealedPlace, options: PushOptions, context: Context): Target {
  const { name, noun, dialect } = place;
  const key = chosenKey(options);
  const binding = options.bind ? place.binding : undefined;
  const contextWith: Job["contextWith"] = (revision) =>
    writerContext(options.format, options.context, binding, revision, sealedDialect(dialect));
  const job = { place, key, options, contextWith };
  return {
    name,
    noun,
    largestBytes: place.largestBodyBytes - TAG_BYTES,
    ...defined({ dialect }),
    look: (file) => look(job, file, new RunTools(context, key, options.credentials)),
  };
}

async function look(job: Job, file: CheckedFile, tools: RunTools): Promise<Look> {
  const { place, key } = job;
  const begin = async (): Promise<void> => {
    if (needsAws(key)) await tools.session.begin([place.need], "writing");
  };
  if (!place.isHere) await begin();
  const found = await step(tools.context, "object", place.name, () => place.find(tools));
  if (place.isHere) await begin();
  const moment: Moment = { local: Date.now(), store: found.date };
  const { present, before } = await openFound(found, job, file, tools);
  return {
    present,
    write: async () => {
      const next = () => nextRevision(job, before, moment, tools.context);
      const revision = await step(tools.context, "object", place.name, next);
      return sealAndWrite(job, file, found, revision, tools);
    },
  };
}

/** What was found, opened; and its revision, as far as that counts. */
async function openFound(
  found: FoundSealed,
  { place, key, options, contextWith }: Job,
  file: CheckedFile,
  tools: RunTools,
): Promise<{ readonly present: Present; readonly before: number | undefined }> {
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
      const { format, revision } = options;
      const sealing = { key, format, encryptionContext: contextWith(undefined), dialect: place.dialect };
      const { before, ...opened } = await openPresent(place.name, object, file, sealing, tools);
      const isAsked = revision === undefined || revision === opened.state.revision;
      return { present: { kind: "there", etag, ...opened, same: opened.same && isAsked }, before };
    }
  }
}

/** None for what is not bound. */
function nextRevision(
  { place, options: { bind, revision: given } }: Job,
  before: number | undefined,
  moment: Moment,
  { log }: Context,
): number | undefined {
  const revision = bind ? chooseRevision(before, given, moment) : undefined;
  if (revision !== undefined && before !== undefined && revision <= before)
    log.warn(`${place.name}: revision ${revision} is not above the one that is there, ${before}`);
  return revision;
}

async function sealAndWrite(
  { place, key, options: { format }, contextWith }: Job,
  { plaintext, variables }: CheckedFile,
  found: FoundSealed,
  revision: number | undefined,
  tools: RunTools,
): Promise<Written> {
  const sealing = { key, format, encryptionContext: contextWith(revision), located: place.need };
  const sealed = await sealUnder(sealing, plaintext, tools);
  const stored = await step(tools.context, "object", place.name, () => place.write(sealed, found, tools));
  const { etag, version, versionId } = stored;
  return {
    state: { version: versionId, etag, revision, format, key: sealed.key },
    facts: [
      ["sealed", place.name],
      ...(version === undefined ? [] : [["version", version] satisfies Fact]),
      ["etag", etag ?? "none"],
      ["revision", String(revision ?? "none")],
      ["format", format],
      ["key", sealed.key],
      ["variables", String(variables.size)],
    ],
  };
}
