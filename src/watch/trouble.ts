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

/** More different warnings than this are not remembered. */
const MOST_REMEMBERED = 100;

/** The same log, but a warning that was said already (a source that all can read, an empty one) is not said at each look. */
export function sayingOnce(log: Logger): Logger {
  const said = new Set<string>();
  return {
    ...log,
    warn: (message, hint, facts) => {
      if (said.has(message)) return log.info(message, facts);
      if (said.size < MOST_REMEMBERED) said.add(message);
      log.warn(message, hint, facts);
    },
  };
}
