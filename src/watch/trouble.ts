/** Failures of looking, each reported once, and once more when it is over. */
import type { SealexecError } from "../errors.ts";
import type { Logger } from "../logger.ts";

export class Trouble {
  readonly #log: Logger;
  #last: string | undefined;

  constructor(log: Logger) {
    this.#log = log;
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

  /** All could be looked at and opened. */
  over(): void {
    if (this.#last === undefined) return;
    this.#last = undefined;
    this.#log.notice("the sources can be read again", { code: "sources-readable-again" });
  }
}

/** Being away has many faces (no route, no answer, 503), which may change from one look to the next: it is one trouble. */
function whatOf({ kind, message }: SealexecError): string {
  if (kind === "unavailable" || kind === "timeout") return "away";
  // Without request ids and the like.
  return `${kind} ${message.replace(/ \([^()]*\)/g, "")}`;
}
