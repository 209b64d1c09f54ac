/** Failures that do not end CMD, each reported once, and once more when it is over. */
import { SealexecError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";

/** What is said when there is no trouble any more; the code is for machines. */
type End = Readonly<Record<"message" | "code", string>>;

/** The trouble with one thing: its end says nothing of another. */
export class Trouble {
  readonly #log: Logger;
  readonly #end: End;
  #last: string | undefined;

  constructor(log: Logger, end: End) {
    this.#log = log;
    this.#end = end;
  }

  report(error: SealexecError): void {
    const what = whatOf(error);
    if (this.#last === what) {
      this.#log.info(`still: ${error.message}`, error.particulars);
      return;
    }
    this.#last = what;
    this.#log.warn(`${error.message}; CMD goes on as it is`, error.hint, error.particulars);
  }

  /** @returns undefined: it failed, which has been said */
  attempt<T>(work: () => T): T | undefined {
    try {
      const result = work();
      this.over();
      return result;
    } catch (error) {
      this.report(toKnown(error));
      return undefined;
    }
  }

  /** It went well. */
  over(): void {
    if (this.#last === undefined) return;
    this.#last = undefined;
    this.#log.notice(this.#end.message, { code: this.#end.code });
  }
}

export function toKnown(error: unknown): SealexecError {
  return error instanceof SealexecError
    ? error
    : new SealexecError("internal", "unexpected failure of a look", { cause: error });
}

/** Being away has many faces (no route, no answer, 503): it is one trouble. */
function whatOf({ kind, says }: SealexecError): string {
  if (kind === "unavailable" || kind === "timeout") return "away";
  return `${kind} ${says}`;
}
