/**
 * `--fallback FILE`: what S3 had last, kept sealed, for a start while S3 is away. KMS opens it as it would have opened what S3
 * has; where S3 answers, whatever it says, its answer counts.
 */
import type { Context } from "../context.ts";
import { Deadline } from "../deadline.ts";
import { roughDuration } from "../duration.ts";
import { SealexecError } from "../errors.ts";
import type { AwsNeed } from "../aws/session.ts";
import type { Content, SealedObject, Source, Tools } from "../stores/source.ts";
import { readKept, writeKept } from "./file.ts";
import type { Kept } from "./file.ts";

export interface FallbackOptions {
  readonly path: string;
  /** what S3 has not confirmed for longer is not used, milliseconds */
  readonly largestAgeMs: number;
  /** of this process */
  readonly uid: number;
}

/** What was opened of a source that is kept. */
export interface OpenedObject {
  readonly uri: string;
  readonly sealed: { readonly object: SealedObject; readonly revision: number | undefined } | undefined;
}

/** S3 is given so much of the time that is left, and not more than so long: KMS needs the rest. */
const SHARE = 1 / 2;
const LONGEST_MS = 10_000;
/** While all stays the same, the file is written anew when so much of the greatest age has gone by. */
const REFRESH_SHARE = 1 / 10;

export class Fallback {
  readonly #options: FallbackOptions;
  readonly #context: Context;
  #kept: ReadonlyMap<string, Kept>;
  #writtenAt: number;
  /** the sources behind which it stands, by URI */
  readonly #guarded = new Set<string>();
  /** what was opened from the file in this run */
  readonly #used = new WeakSet<SealedObject>();

  /** Reads the file. One that cannot be used is said to be so, and is as if it were not there. */
  constructor(options: FallbackOptions, context: Context) {
    this.#options = options;
    this.#context = context;
    this.#kept = new Map(this.#read().map((object) => [object.uri, object]));
    this.#writtenAt = Math.min(Infinity, ...[...this.#kept.values()].map(({ confirmed }) => confirmed));
  }

  /** The revisions that were seen before: nothing older is opened, wherever it comes from. */
  get seen(): ReadonlyMap<string, number> {
    return new Map(
      [...this.#kept.values()].flatMap(({ uri, revision }) =>
        revision === undefined ? [] : [[uri, revision]],
      ),
    );
  }

  /** The same sources, those in S3 with what is kept of them behind them. */
  behind(sources: readonly Source[]): readonly Source[] {
    return sources.map((source) => {
      const { uri, place, aws } = source;
      if (place === undefined || aws === undefined) return source;
      this.#guarded.add(uri);
      return { ...source, read: (tools: Tools) => this.#readOrInstead(source, place, aws, tools) };
    });
  }

  /** Keeps what was opened, verified by now. That it cannot be kept is no reason not to start. */
  keep(opened: readonly OpenedObject[]): void {
    const now = Date.now();
    const kept = new Map(this.#kept);
    for (const { uri, sealed } of opened) {
      // What comes from the file is not confirmed by being read from it.
      if (sealed === undefined || !this.#guarded.has(uri) || this.#used.has(sealed.object)) continue;
      const { object, revision } = sealed;
      const { etag, versionId, lastModified, metadata, body } = object;
      // One source, one object: a file is for one deployment.
      kept.set(uri, { uri, confirmed: now, etag, versionId, revision, lastModified, metadata, body });
    }
    this.#write(kept);
  }

  /** S3 has said that these are still what it has. */
  confirm(uris: readonly string[]): void {
    const now = Date.now();
    if (now - this.#writtenAt < this.#options.largestAgeMs * REFRESH_SHARE) return;
    const kept = new Map(this.#kept);
    for (const uri of uris) {
      const object = kept.get(uri);
      if (object !== undefined) kept.set(uri, { ...object, confirmed: now });
    }
    this.#write(kept);
  }

  #read(): readonly Kept[] {
    try {
      return readKept(this.#options.path, this.#options.uid);
    } catch (error) {
      if (!(error instanceof SealexecError)) throw error;
      this.#context.log.warn(
        `--fallback: ${this.#options.path}: ${error.message}`,
        error.hint,
        error.particulars,
      );
      return [];
    }
  }

  #write(kept: ReadonlyMap<string, Kept>): void {
    this.#kept = kept;
    if (kept.size === 0) return;
    try {
      writeKept(this.#options.path, [...kept.values()]);
      this.#writtenAt = Date.now();
    } catch (error) {
      if (!(error instanceof SealexecError)) throw error;
      this.#context.log.warn(`--fallback: ${error.message}`, error.hint, error.particulars);
    }
  }

  async #readOrInstead(source: Source, place: string, located: AwsNeed, tools: Tools): Promise<Content> {
    const { context } = tools;
    const deadline = new Deadline(Math.min(context.deadline.remainingMs * SHARE, LONGEST_MS), context.now);
    try {
      return await source.read(withDeadline(tools, deadline));
    } catch (error) {
      return this.#instead(source.uri, place, located, error);
    } finally {
      deadline.clear();
    }
  }

  /** Only where S3 is away: "forbidden" and "gone" are answers. */
  #instead(uri: string, place: string, located: AwsNeed, error: unknown): Content {
    if (!(error instanceof SealexecError)) throw error;
    const isAway = error.kind === "unavailable" || error.kind === "timeout";
    const kept = this.#kept.get(uri);
    if (!isAway || kept === undefined) throw error;
    const ageMs = Math.abs(Date.now() - kept.confirmed);
    const age = roughDuration(ageMs);
    if (ageMs > this.#options.largestAgeMs) {
      throw error.reworded(
        `${error.message}; and the fallback is ${age} old`,
        "raise --fallback-age (SEALEXEC_FALLBACK_AGE) if it may be so old",
      );
    }
    this.#context.log.warn(`object: ${uri}: ${error.message}; using the fallback, ${age} old`, undefined, {
      ...error.facts,
      code: "fallback-used",
      stage: "object",
      target: uri,
    });
    const { metadata, body, etag, versionId, lastModified } = kept;
    const sealed = { metadata, body, etag, versionId, lastModified, place, located };
    this.#used.add(sealed);
    return { kind: "sealed", sealed, validator: etag };
  }
}

function withDeadline(tools: Tools, deadline: Deadline): Tools {
  return {
    context: { ...tools.context, deadline },
    session: tools.session,
    vault: () => tools.vault(),
  };
}
