import { SealexecError } from "./errors.ts";

/** One deadline over everything before exec. Its timer keeps the event loop alive until `clear`. */
export class Deadline {
  readonly timeoutMs: number;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout;
  #endsAt: number;
  readonly #now: () => number;
  #isCleared = false;

  constructor(timeoutMs: number, now: () => number) {
    this.timeoutMs = timeoutMs;
    this.#now = now;
    this.#endsAt = now() + timeoutMs;
    this.#timer = this.#arm(timeoutMs);
  }

  #arm(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#controller.abort(this.error()), ms);
  }

  /** What a person takes to type, or the program before a pipe to end, does not count. */
  async notDuring<T>(work: () => Promise<T>): Promise<T> {
    const leftMs = this.remainingMs;
    clearTimeout(this.#timer);
    try {
      return await work();
    } finally {
      this.#endsAt = this.#now() + leftMs;
      this.#timer = this.#arm(leftMs);
    }
  }

  /** Its reason is a SealexecError of kind "timeout". */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsAt - this.#now());
  }

  get isCleared(): boolean {
    return this.#isCleared;
  }

  clear(): void {
    this.#isCleared = true;
    clearTimeout(this.#timer);
  }

  error(cause?: unknown): SealexecError {
    return new SealexecError("timeout", `no answer within the deadline of ${this.timeoutMs / 1000} s`, {
      hint: "raise --timeout (SEALEXEC_TIMEOUT) if the service is only slow",
      cause,
    });
  }
}

/** `work`, or the signal's reason: the SDK's metadata client never settles if an answer is cut. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) {
      // Nobody looks at this result any more, but its failure must not count as unhandled.
      work.catch(() => undefined);
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
