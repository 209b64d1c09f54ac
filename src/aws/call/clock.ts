/** A signature is taken within five minutes (S3: fifteen) of AWS's own time, which a refusal's Date header tells. */
const TOLERATED_MS = 4 * 60_000;

export class Clock {
  #offsetMs = 0;

  now(): Date {
    return new Date(Date.now() + this.#offsetMs);
  }

  /** @returns whether the time of a refusal explains it: the next signature will have another */
  learn(date: string | undefined): boolean {
    const serverMs = date === undefined ? Number.NaN : Date.parse(date);
    if (Number.isNaN(serverMs) || Math.abs(serverMs - this.now().getTime()) < TOLERATED_MS) return false;
    this.#offsetMs = serverMs - Date.now();
    return true;
  }
}
