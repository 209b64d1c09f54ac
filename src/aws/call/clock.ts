/**
 * How far this machine's clock is off, as AWS says it: a signature is taken within five minutes (S3: fifteen) of AWS's
 * own time. Learned from a refusal's Date header, as the SDKs do; shared by all services of a run.
 */
const TOLERATED_MS = 4 * 60_000;

export class Clock {
  #offsetMs = 0;

  /** the time to sign with */
  now(): Date {
    return new Date(Date.now() + this.#offsetMs);
  }

  /**
   * Takes the time of an answer that refused a signature for its time. Returns whether that explains the refusal: the
   * next signature will have another time.
   */
  learn(date: string | undefined): boolean {
    const serverMs = date === undefined ? Number.NaN : Date.parse(date);
    if (Number.isNaN(serverMs) || Math.abs(serverMs - this.now().getTime()) < TOLERATED_MS) return false;
    this.#offsetMs = serverMs - Date.now();
    return true;
  }
}
