/** One direction of a connection: what is put in comes out in order, each not before it is due. */

/** Timers come to the millisecond, and up to one too early: the last part of a wait is spent looking at the clock. */
const WATCHED_MS = 2;

interface Waiting {
  readonly dueMs: number;
  readonly deliver: () => void;
}

export class DelayLine {
  readonly #delayMs: number;
  readonly #notBeforeMs: number;
  #waiting: Waiting[] = [];

  /** @param notBeforeMs what is put in earlier counts as sent at this time of performance.now() */
  constructor(delayMs: number, notBeforeMs: number) {
    this.#delayMs = delayMs;
    this.#notBeforeMs = notBeforeMs;
  }

  put(deliver: () => void): void {
    const dueMs = Math.max(performance.now(), this.#notBeforeMs) + this.#delayMs;
    this.#waiting.push({ dueMs, deliver });
    if (this.#waiting.length === 1) this.#go();
  }

  #go(): void {
    for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
      const leftMs = head.dueMs - performance.now();
      if (leftMs > WATCHED_MS) return void setTimeout(() => this.#go(), leftMs - WATCHED_MS);
      if (leftMs > 0) return void setImmediate(() => this.#go());
      head.deliver();
      this.#waiting.shift();
    }
  }
}
