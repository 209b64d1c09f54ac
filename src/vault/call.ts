/** A call of Vault, and what it takes to be let in. */
import type { Identity } from "../aws/credentials/source.ts";
import type { SealexecError } from "../base/errors.ts";
import { VaultRefusal } from "./refusal.ts";
import type { Json } from "./refusal.ts";

export interface VaultCall {
  readonly method: "GET" | "POST";
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

/** How AWS credentials are come by where a login needs them. */
export type LoadIdentity = () => Promise<Identity>;

/** What a method proves itself with. */
export interface Proof {
  readonly body: Json;
  /** what to look at where Vault does not take it */
  readonly hint: string;
}

export interface Token {
  readonly text: string;
  /** for people */
  readonly from: string;
  /** of a login: since when, by the context's clock, and for how long; Infinity where it does not expire */
  readonly lease?: { readonly since: number; readonly ms: number };
}

/** Sends a login: a POST without a token. Resolves with what Vault answered. */
export type SendLogin = (call: Omit<VaultCall, "method" | "query">) => Promise<Json>;
