/** A call of Vault, and what it takes to be let in. */
import type { Identity } from "../aws/credentials/source.ts";
import type { SealexecError } from "../base/errors.ts";
import { JsonLiteral } from "../text/json-scan.ts";
import type { Json, VaultRefusal } from "./refusal.ts";

export interface VaultCall {
  /** below /v1/, not encoded */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Json;
  /** how long an attempt may take, milliseconds */
  readonly attemptMs?: number;
  /** give up after so many; absent: when the time is over */
  readonly mostAttempts?: number;
  /** a refusal that means more here than its status says; undefined: it does not */
  readonly explain?: (refusal: VaultRefusal, operation: string) => SealexecError | undefined;
}

/** Gets the AWS credentials that a login needs. */
export type LoadIdentity = () => Promise<Identity>;

/** What a method of login sends, and what to look at if Vault does not take it. */
export interface Proof {
  readonly body: Json;
  readonly hint: string;
}

/** Sends a login: a POST without a token. */
export type SendLogin = (call: VaultCall) => Promise<Json>;

export interface Token {
  readonly text: string;
  /** for people */
  readonly from: string;
  /** of a login: since when, by the context's clock, and for how long; Infinity if it does not expire */
  readonly lease?: { readonly since: number; readonly ms: number };
}

/** A `lease_duration` in milliseconds; Infinity if it does not end ("Lease, renew, and revoke": 0). */
export function leaseMs(duration: unknown): number {
  const isCount = duration instanceof JsonLiteral && /^\d{1,10}$/.test(duration.text);
  const seconds = isCount ? Number(duration.text) : 0;
  return seconds === 0 ? Infinity : seconds * 1_000;
}
