/** The sources as they were when they were last seen, and what has changed since. */
import { step } from "../base/context.ts";
import type { SealexecError } from "../base/errors.ts";
import type { OpenedSource } from "../sources/sources.ts";
import type { Source, Tools } from "../stores/source.ts";
import type { Range } from "./alarm.ts";

/** URI → the validator of what is there now. */
export type Changes = ReadonlyMap<string, string>;

/** What a look has found. */
export interface Seen {
  readonly changes: Changes;
  /** those that were looked at and are as they were when they were opened */
  readonly unchanged: Changes;
  /** the first of those that could not be looked at */
  readonly failure: SealexecError | undefined;
}

export class Lookout {
  readonly #sources: readonly Source[];
  /** of what was opened */
  readonly #validators = new Map<string, string>();
  /** of what was seen since, and did not open */
  readonly #refused = new Map<string, string>();
  /** of what was opened */
  readonly #revisions: Map<string, number>;

  /** @param seen revisions that were seen before this start */
  constructor(sources: readonly Source[], seen: ReadonlyMap<string, number> = new Map()) {
    this.#sources = sources;
    this.#revisions = new Map(seen);
  }

  /** The revisions that were opened; none older may be. */
  get seen(): ReadonlyMap<string, number> {
    return this.#revisions;
  }

  /** Folders in which the system can tell of changes. */
  get folders(): readonly string[] {
    return this.#sources.flatMap(({ folders = [] }) => folders);
  }

  /** Never looked at again: what they name does not change, or cannot be read twice. */
  get fixed(): readonly string[] {
    return this.#sources
      .filter(({ uri, look }) => look === undefined || !this.#validators.has(uri))
      .map(({ uri }) => uri);
  }

  /** Whether something is there that did not open. */
  get hasRefused(): boolean {
    return this.#refused.size > 0;
  }

  /** What was opened, all of it, is what is there. */
  opened(sources: readonly OpenedSource[]): void {
    this.#refused.clear();
    for (const { uri, validator, sealed } of sources) {
      if (validator !== undefined) this.#validators.set(uri, validator);
      const { revision } = sealed ?? {};
      if (revision !== undefined) this.#revisions.set(uri, Math.max(revision, this.#revisions.get(uri) ?? 0));
    }
  }

  /** It did not open, and will not be opened again before it changes again. */
  refused(changes: Changes): void {
    for (const [uri, validator] of changes) this.#refused.set(uri, validator);
  }

  /** One request each. Never rejects: one that fails does not hide what the others have. */
  async look(range: Range, tools: Tools): Promise<Seen> {
    const looks = this.#sources
      .filter(({ aws, folders }) => range === "all" || (folders !== undefined && isLocal(aws)))
      .flatMap((source) => this.#lookAt(source, tools));
    const results = await Promise.allSettled(looks);
    const changes = new Map<string, string>();
    const unchanged = new Map<string, string>();
    let failure: SealexecError | undefined;
    for (const result of results) {
      // A step that fails says so as our error.
      if (result.status === "rejected") failure ??= result.reason as SealexecError;
      else if (result.value.now !== undefined) changes.set(result.value.uri, result.value.now);
      else if (!this.#refused.has(result.value.uri)) unchanged.set(result.value.uri, result.value.known);
    }
    return { changes, unchanged, failure };
  }

  /** @returns of what can be looked at: the validator that is known, and that of what is there, if another */
  #lookAt(source: Source, tools: Tools) {
    const { uri } = source;
    const known = this.#refused.get(uri) ?? this.#validators.get(uri);
    if (source.look === undefined || known === undefined) return [];
    const look = async (): Promise<string | undefined> => source.look?.(known, tools);
    const say = (now: string | undefined): string => (now === undefined ? "unchanged" : "changed");
    return [step(tools.context, "object", uri, look, say).then((now) => ({ uri, known, now }))];
  }
}

// A sealed file wants KMS, but not to be looked at.
function isLocal(aws: Source["aws"]): boolean {
  return aws === undefined || aws.onlyKms === true;
}
