import type { ServiceName } from "./http.ts";

/** Their ThrottlingException, or Throttling, is a 400. */
const IN_400: readonly ServiceName[] = ["kms", "sts", "secretsmanager", "ssm"];

/**
 * Request rates. A service over its rate answers as "Request quotas" (KMS Developer Guide: ThrottlingException, 400)
 * and "Best practices: 503 Slow Down" (S3 User Guide) say.
 */
export class Limits {
  readonly #rates = new Map<ServiceName, { perSecond: number; recent: number[] }>();
  readonly #errors = new Map<ServiceName, { fraction: number; owed: number }>();

  /** At most so many requests in any second; undefined takes the limit away. */
  limit(service: ServiceName, perSecond: number | undefined): void {
    if (perSecond === undefined) this.#rates.delete(service);
    else this.#rates.set(service, { perSecond, recent: [] });
  }

  /** So large a part of the calls fail with a server error, evenly spread and not by chance; 0 takes it away. */
  errorRate(service: ServiceName, fraction: number): void {
    if (fraction <= 0) this.#errors.delete(service);
    else this.#errors.set(service, { fraction, owed: 0 });
  }

  /** Counts one call; the status that it fails with, or undefined. */
  check(service: ServiceName): number | undefined {
    if (this.#isOver(service)) return IN_400.includes(service) ? 400 : 503;
    const errors = this.#errors.get(service);
    if (errors === undefined) return undefined;
    errors.owed += errors.fraction;
    if (errors.owed < 1) return undefined;
    errors.owed -= 1;
    return 500;
  }

  #isOver(service: ServiceName): boolean {
    const rate = this.#rates.get(service);
    if (rate === undefined) return false;
    const now = performance.now();
    rate.recent = rate.recent.filter((time) => time > now - 1000);
    if (rate.recent.length >= rate.perSecond) return true;
    rate.recent.push(now);
    return false;
  }
}
