/**
 * `--fallback FILE`: what S3 had last, kept sealed, for a start while S3 is away. KMS opens it as it would have opened what S3
 * has; where S3 answers, whatever it says, its answer counts.
 */
import type { Context } from "../../base/context.ts";
import { Deadline } from "../../base/deadline.ts";
import { roughDuration } from "../../base/duration.ts";
import { SealexecError } from "../../base/errors.ts";
import { sayingOnce } from "../../base/logger.ts";
import type { AwsNeed } from "../../aws/session.ts";
import type { Content, SealedObject, Source, Tools } from "../../stores/source.ts";
import { isAhead, readKept, writeKept } from "./file.ts";
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
  /** by this machine's clock, which may be set */
  #writtenAt: number;
  /** the sources behind which it stands, by URI */
  readonly #guarded = new Set<string>();
  /** what was opened from the file in this run */
  readonly #used = new WeakSet<SealedObject>();

  /** Reads the file. One that cannot be used is said to be so, and is as if it were not there. */
  constructor(options: FallbackOptions, context: Context) {
    this.#options = options;
    // The file is read again before it is written.
    this.#context = { ...context, log: sayingOnce(context.log) };
    this.#kept = this.#read();
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
    const fresh = opened.flatMap(({ uri, sealed }): Kept[] => {
      // What comes from the file is not confirmed by being read from it.
      if (sealed === undefined || !this.#guarded.has(uri) || this.#used.has(sealed.object)) return [];
      const { object, revision } = sealed;
      const { etag, versionId, lastModified, metadata, body } = object;
      return [{ uri, confirmed: now, etag, versionId, revision, lastModified, metadata, body }];
    });
    this.#write((kept) => fresh.map((object) => newer(kept.get(object.uri), object)));
  }

  /**
   * S3 has said that these are still what it has.
   *
   * @param unchanged URI → ETag
   */
  confirm(unchanged: ReadonlyMap<string, string>): void {
    const now = Date.now();
    // Of a clock that was set back the time of writing may be far ahead.
    if (Math.abs(now - this.#writtenAt) < this.#options.largestAgeMs * REFRESH_SHARE) return;
    this.#write((kept) =>
      [...unchanged].flatMap(([uri, etag]) => {
        const object = kept.get(uri);
        return object === undefined || object.etag !== etag ? [] : [{ ...object, confirmed: now }];
      }),
    );
  }

  /** What the file holds, by URI. */
  #read(): ReadonlyMap<string, Kept> {
    try {
      const kept = readKept(this.#options.path, this.#options.uid);
      return new Map(
        kept.filter((object) => !this.#refusesAhead(object)).map((object) => [object.uri, object]),
      );
    } catch (error) {
      if (!(error instanceof SealexecError)) throw error;
      this.#context.log.warn(
        `--fallback: ${this.#options.path}: ${error.message}`,
        error.hint,
        error.particulars,
      );
      return new Map();
    }
  }

  /** It would keep all that comes from being opened. */
  #refusesAhead(object: Kept): boolean {
    if (!isAhead(object)) return false;
    this.#context.log.warn(
      `--fallback: ${this.#options.path}: its revision of ${object.uri} is of the future: it is not used`,
      "a start with S3 writes another; if this machine's clock is wrong, set it",
    );
    return true;
  }

  /**
   * Another sealexec may share the file: what it has kept there since stays, where it is newer.
   *
   * @param change what is to be put in, given what is there
   */
  #write(change: (kept: ReadonlyMap<string, Kept>) => readonly Kept[]): void {
    const kept = new Map(this.#kept);
    for (const [uri, object] of this.#read()) kept.set(uri, newer(kept.get(uri), object));
    const changed = change(kept);
    this.#kept = kept;
    if (changed.length === 0) return;
    for (const object of changed) kept.set(object.uri, object);
    try {
      writeKept(this.#options.path, this.#options.uid, [...kept.values()]);
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
    if (error.kind !== "unavailable" && error.kind !== "timeout") throw error;
    const kept = this.#kept.get(uri);
    if (kept === undefined) {
      const soon = "a start while S3 answers keeps it there";
      throw error.reworded(
        `${error.message}; and the fallback ${this.#options.path} has nothing for this source`,
        error.hint === undefined ? soon : `${error.hint}; ${soon}`,
      );
    }
    const ageMs = Date.now() - kept.confirmed;
    const age = roughDuration(Math.abs(ageMs));
    const clockHint = "set this machine's clock, or remove the file: a start with S3 writes a new one";
    if (ageMs > this.#options.largestAgeMs) {
      throw error.reworded(
        `${error.message}; and the fallback is ${age} old`,
        "raise --fallback-age (SEALEXEC_FALLBACK_AGE) if it may be so old",
      );
    }
    if (ageMs < -this.#options.largestAgeMs) {
      throw error.reworded(
        `${error.message}; and the fallback was confirmed at a time that is ${age} ahead`,
        clockHint,
      );
    }
    const [what, hint] =
      ageMs < 0
        ? [`using the fallback, confirmed at a time that is ${age} ahead`, clockHint]
        : [`using the fallback, ${age} old`];
    this.#context.log.warn(`object: ${uri}: ${error.message}; ${what}`, hint, {
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

/** Of two of the same source the one with the larger revision; where both have the same, the second. */
function newer(one: Kept | undefined, other: Kept): Kept {
  return one !== undefined && (one.revision ?? 0) > (other.revision ?? 0) ? one : other;
}

function withDeadline(tools: Tools, deadline: Deadline): Tools {
  return {
    context: { ...tools.context, deadline },
    session: tools.session,
    vault: () => tools.vault(),
  };
}
