/** What a user who waits is told: after two seconds, what is waited for and why, once for each thing. */
import type { Deadline } from "./deadline.ts";
import type { SealexecError } from "./errors.ts";
import type { Logger } from "./logger.ts";

const PATIENCE_MS = 2_000;

interface Thing {
  readonly stage: string;
  readonly target: string;
}

export class Waiting {
  readonly #log: Logger;
  readonly #deadline: Deadline;
  readonly #timer: NodeJS.Timeout;
  readonly #things = new Set<Thing>();
  readonly #said = new Set<string>();
  #failure: SealexecError | undefined;

  /** @param deadline nothing is said any more once it is cleared: what comes after it has its own words */
  constructor(log: Logger, deadline: Deadline) {
    this.#log = log;
    this.#deadline = deadline;
    this.#timer = setInterval(() => this.#say(), PATIENCE_MS).unref();
  }

  /** Something is waited for, until what is returned is called. */
  begin(stage: string, target: string): () => void {
    const thing = { stage, target };
    this.#things.add(thing);
    return () => {
      this.#things.delete(thing);
      // It was why this one took so long.
      this.#failure = undefined;
    };
  }

  /** An attempt has failed, and is made again. */
  because(failure: SealexecError): void {
    this.#failure = failure;
  }

  /** Of all that is waited for, the one that began first: the others wait for it, or come next. */
  #say(): void {
    if (this.#deadline.isCleared) return clearInterval(this.#timer);
    const [thing] = this.#things;
    if (thing === undefined) return;
    const name = `${thing.stage}: ${thing.target}`;
    if (this.#said.has(name)) return;
    this.#said.add(name);
    const failure = this.#failure;
    const why = failure === undefined ? "no answer yet" : `trying again: ${failure.message}`;
    this.#log.notice(`waiting for ${name}: ${why}`, { ...failure?.facts, code: "waiting", ...thing });
  }
}
