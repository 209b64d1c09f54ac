import { JsonLiteral } from "../text/json-scan.ts";

/**
 * A `lease_duration` of Vault in milliseconds; Infinity where it does not end (0), or is not there.
 * Source: HashiCorp Vault documentation, "Lease, renew, and revoke".
 */
export function leaseMs(duration: unknown): number {
  const seconds =
    duration instanceof JsonLiteral && /^\d{1,10}$/.test(duration.text) ? Number(duration.text) : 0;
  return seconds === 0 ? Infinity : seconds * 1_000;
}
