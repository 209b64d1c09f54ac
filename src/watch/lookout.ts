/** The sources as they were when they were last seen, and what has changed since. */
import { step } from "../context.ts";
import { SealexecError } from "../errors.ts";
import type { OpenedSource } from "../run/sources.ts";
import type { Source, Tools } from "../stores/source.ts";
import type { Range } from "./alarm.ts";

/** URI → the validator of what is there now. */
export type Changes = ReadonlyMap<string, string>;

export class Lookout {
  readonly #sources: readonly Source[];
  /** of what was seen last, whether it could be opened or not */
  readonly #validators = new Map<string, string>();
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

  /** The sources that nobody will ever look at again: what they name does not change, or cannot be read twice. */
  get fixed(): readonly string[] {
    return this.#sources
      .filter(({ uri, look }) => look === undefined || !this.#validators.has(uri))
      .map(({ uri }) => uri);
  }

  /** What was opened is what is there. */
  opened(sources: readonly OpenedSource[]): void {
    for (const { uri, validator, sealed } of sources) {
      if (validator !== undefined) this.#validators.set(uri, validator);
      const { revision } = sealed ?? {};
      if (revision !== undefined) this.#revisions.set(uri, Math.max(revision, this.#revisions.get(uri) ?? 0));
    }
  }

  /** It was seen, and will not be opened before it changes again. */
  seenAs(changes: Changes): void {
    for (const [uri, validator] of changes) this.#validators.set(uri, validator);
  }

  /**
   * Looks at each source, in one request each.
   *
   * @throws where nothing has changed, and one could not be looked at
   */
  async look(range: Range, tools: Tools): Promise<Changes> {
    const looks = this.#sources
      .filter(({ aws, folders }) => range === "all" || (folders !== undefined && isLocal(aws)))
      .flatMap((source) => this.#lookAt(source, tools));
    const results = await Promise.allSettled(looks);
    const changes = results.flatMap((result) =>
      result.status === "fulfilled" && result.value !== undefined ? [result.value] : [],
    );
    const failure = results.find((result) => result.status === "rejected");
    if (changes.length === 0 && failure !== undefined) throw toError(failure.reason);
    return new Map(changes);
  }

  #lookAt(source: Source, tools: Tools): Promise<readonly [string, string] | undefined>[] {
    const { uri } = source;
    const validator = this.#validators.get(uri);
    if (source.look === undefined || validator === undefined) return [];
    const look = async (): Promise<string | undefined> => source.look?.(validator, tools);
    const asked = step(tools.context, "object", uri, look, (now) =>
      now === undefined ? "unchanged" : "changed",
    );
    return [asked.then((now) => (now === undefined ? undefined : ([uri, now] as const)))];
  }
}

// A sealed file wants KMS, but not to be looked at.
function isLocal(aws: Source["aws"]): boolean {
  return aws === undefined || aws.onlyKms === true;
}

function toError(reason: unknown): SealexecError {
  return reason instanceof SealexecError
    ? reason
    : new SealexecError("internal", "unexpected failure of a look", { cause: reason });
}
