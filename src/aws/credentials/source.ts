/** What AWS is asked as, and the sources that it comes from. */
import type { Context } from "../../base/context.ts";
import type { Network } from "../../http/network.ts";
import type { RetryOptions } from "../../http/retry.ts";

export interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface LoadedIdentity extends Identity {
  readonly expiration?: Date;
}

export interface Credentials {
  readonly identity: Identity;
  /** milliseconds since 1970, by AWS's clock; absent: nobody says that they expire */
  readonly expiresAt?: number;
  /** where they came from, for people: `instance metadata`, `profile dev` */
  readonly source: string;
  /** the sources before it in the chain, and why each was passed over */
  readonly passedOver: readonly string[];
  /** they are so new that AWS may not know them before then, by the context's clock */
  readonly settledAt?: number;
}

/** A source that was chosen by name: it counts in place of the chain. Its retries are its own. */
export interface ChosenSource {
  /** for people; never a secret */
  readonly name: string;
  readonly load: (work: Omit<Attempt, "signal">) => Promise<Omit<Credentials, "passedOver">>;
}

export interface Attempt {
  readonly context: Context;
  readonly network: Network;
  /** for sources that ask STS; rejects with "config" where none is known */
  readonly region: () => Promise<string>;
  readonly signal: AbortSignal;
}

export interface CredentialSource extends RetryOptions {
  /** for people; never a secret */
  readonly name: string;
  /** undefined: it turns out that nothing is configured here, ask the next */
  readonly load: (attempt: Attempt) => Promise<LoadedIdentity | undefined>;
}
