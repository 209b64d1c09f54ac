/** `--fallback`: what S3 had last, kept sealed, for a start while S3 is away. If S3 answers, that counts. */
import type { Context } from "../../base/context.ts";
import { Deadline } from "../../base/deadline.ts";
import { roughDuration } from "../../base/duration.ts";
import { SealexecError } from "../../base/errors.ts";
import { sayingOnce } from "../../base/logger.ts";
import type { AwsNeed } from "../../aws/session.ts";
import type { Content, SealedObject, Source, Tools } from "../../stores/source.ts";
import type { FallbackSettings } from "../options.ts";
import { isAhead, readKept, writeKept } from "./file.ts";
import type { Kept } from "./file.ts";

/** `uid`: of this process */
type FallbackOptions = FallbackSettings & { readonly uid: number };

interface OpenedObject {
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
  /** the URIs of the sources that it may stand in for */
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
    const kept = [...this.#kept.values()];
    return new Map(kept.flatMap(({ uri, revision }) => (revision === undefined ? [] : [[uri, revision]])));
  }

  /** The same sources; if one in S3 is away, reading it gives what is kept of it. */
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

  /** S3 has said that these are still what it has: URI → ETag. */
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

  #read(): ReadonlyMap<string, Kept> {
    try {
      const kept = readKept(this.#options.path, this.#options.uid);
      return new Map(kept.filter((one) => !this.#refusesAhead(one)).map((one) => [one.uri, one]));
    } catch (error) {
      this.#warnOf(error, `${this.#options.path}: `);
      return new Map();
    }
  }

  #warnOf(error: unknown, lead = ""): void {
    if (!(error instanceof SealexecError)) throw error;
    this.#context.log.warn(`--fallback: ${lead}${error.message}`, error.hint, error.particulars);
  }

  /** It would keep all that comes from being opened. */
  #refusesAhead(object: Kept): boolean {
    if (!isAhead(object)) return false;
    const what = `its revision of ${object.uri} is of the future: it is not used`;
    const hint = "a start with S3 writes another; if this machine's clock is wrong, set it";
    this.#context.log.warn(`--fallback: ${this.#options.path}: ${what}`, hint);
    return true;
  }

  /** @param change what is to be put in, given what is there: what another sealexec has kept there since stays, if it is newer */
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
      this.#warnOf(error);
    }
  }

  async #readOrInstead(source: Source, place: string, located: AwsNeed, tools: Tools): Promise<Content> {
    const { context } = tools;
    const deadline = new Deadline(Math.min(context.deadline.remainingMs * SHARE, LONGEST_MS), context.now);
    const brief = { context: { ...context, deadline }, session: tools.session, vault: () => tools.vault() };
    try {
      return await source.read(brief);
    } catch (error) {
      return this.#instead(source.uri, place, located, error);
    } finally {
      deadline.clear();
    }
  }

  /** Only if S3 is away: "forbidden" and "gone" are answers. */
  #instead(uri: string, place: string, located: AwsNeed, error: unknown): Content {
    if (!(error instanceof SealexecError) || (error.kind !== "unavailable" && error.kind !== "timeout"))
      throw error;
    const kept = this.#kept.get(uri);
    if (kept === undefined) {
      const message = `${error.message}; and the fallback ${this.#options.path} has nothing for this source`;
      const soon = "a start while S3 answers keeps it there";
      throw error.reworded(message, error.hint === undefined ? soon : `${error.hint}; ${soon}`);
    }
    const ageMs = Date.now() - kept.confirmed;
    const age = roughDuration(Math.abs(ageMs));
    const clockHint = "set this machine's clock, or remove the file: a start with S3 writes a new one";
    if (ageMs > this.#options.largestAgeMs) {
      const hint = "raise --fallback-age (SEALEXEC_FALLBACK_AGE) if it may be so old";
      throw error.reworded(`${error.message}; and the fallback is ${age} old`, hint);
    }
    if (ageMs < -this.#options.largestAgeMs) {
      const message = `${error.message}; and the fallback was confirmed at a time that is ${age} ahead`;
      throw error.reworded(message, clockHint);
    }
    const [what, hint] =
      ageMs < 0
        ? [`using the fallback, confirmed at a time that is ${age} ahead`, clockHint]
        : [`using the fallback, ${age} old`];
    const facts = { ...error.facts, code: "fallback-used", stage: "object", target: uri };
    this.#context.log.warn(`object: ${uri}: ${error.message}; ${what}`, hint, facts);
    const { metadata, body, etag, versionId, lastModified } = kept;
    const sealed = { metadata, body, etag, versionId, lastModified, place, located };
    this.#used.add(sealed);
    return { kind: "sealed", sealed, validator: etag };
  }
}

/** Of two of the same source the one with the larger revision; of equal ones, the second. */
function newer(one: Kept | undefined, other: Kept): Kept {
  return one !== undefined && (one.revision ?? 0) > (other.revision ?? 0) ? one : other;
}
