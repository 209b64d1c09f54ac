/** A service on the simulated clock. A request counts in any second gone by and is refused over the rate, as in test/aws/limits.ts. */
import { sleep } from "./clock.ts";

const ROUND_TRIP_MS = 15;
const SECOND_MS = 1_000;

export interface Service {
  /** requests that are taken in any second; Infinity: no limit */
  readonly perSecond: number;
  /** the part of those taken that fails with a server error */
  readonly errors: number;
  /** what is answered over the rate */
  readonly throttled: { readonly code: string; readonly status: number };
}

// "Best practices: 503 Slow Down" (S3 User Guide), "Request quotas" (KMS Developer Guide).
export const S3_THROTTLED = { code: "SlowDown", status: 503 };
export const KMS_THROTTLED = { code: "ThrottlingException", status: 400 };

export class SimulatedService {
  /** when each request came, and each that was not over the rate, milliseconds, in order */
  readonly arrivals: number[] = [];
  readonly taken: number[] = [];
  readonly #service: Service;
  readonly #now: () => number;
  // The first of those taken that is not yet a second old.
  #oldest = 0;

  constructor(service: Service, now: () => number) {
    this.#service = service;
    this.#now = now;
  }

  get throttled(): number {
    return this.arrivals.length - this.taken.length;
  }

  async call(): Promise<void> {
    await sleep(ROUND_TRIP_MS);
    const now = this.#now();
    this.arrivals.push(now);
    while ((this.taken[this.#oldest] ?? Infinity) <= now - SECOND_MS) this.#oldest += 1;
    const { perSecond, errors, throttled } = this.#service;
    if (this.taken.length - this.#oldest >= perSecond) throw serviceError(throttled.code, throttled.status);
    this.taken.push(now);
    if (Math.random() < errors) throw serviceError("InternalError", 500);
  }
}

function serviceError(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
}
