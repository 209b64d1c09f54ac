/** Where `push` can put a .env: one target for each store that can be written. */
import type { Context } from "../base/context.ts";
import { SealexecError } from "../base/errors.ts";
import type { Variables } from "../base/secret.ts";
import type { EncryptionContext } from "../envelope/index.ts";
import { needsAws, type Key } from "../keys/key.ts";
import type { Grammar, ParsedUri } from "../stores/uri.ts";
import type { Dialect } from "../text/dialect.ts";
import type { CredentialsRef } from "../vault/credentials-ref.ts";
import type { Changes, Comparison } from "./changes.ts";

export interface PushOptions {
  /** undefined: none was named */
  readonly key: Key | undefined;
  readonly format: "v3" | "v2";
  /** the encryption context, without what sealexec sets by itself */
  readonly context: EncryptionContext;
  /** bind it to its place */
  readonly bind: boolean;
  /** undefined: the next one */
  readonly revision: number | undefined;
  /** of the flags that are about sealing, the first that was given */
  readonly sealingFlag: string | undefined;
  /** what must be there: nothing */
  readonly create: boolean;
  /** what must be there: this state, an entity tag in its quotes */
  readonly ifMatch: string | undefined;
  /** whatever is there is written over */
  readonly replace: boolean;
  /** what makes the AWS credentials; undefined: the chain finds them */
  readonly credentials: CredentialsRef | undefined;
}

/** A store that can be written. */
export interface TargetStore<Name extends string = string> {
  readonly grammar: Grammar<Name>;
  target(parsed: ParsedUri<Name>, options: PushOptions, context: Context): Target;
}

/** A place that was named and is not asked yet. */
export interface Target {
  /** for people */
  readonly name: string;
  /** what lies there */
  readonly noun: "object" | "file" | "secret" | "parameters";
  /** the largest file that fits there, bytes */
  readonly largestBytes: number;
  /** what the file is, where the URI says so; a .env otherwise */
  readonly dialect?: Dialect;
  /** Looks at what is there, opens it if that is allowed, and compares it with the file. */
  look(file: CheckedFile): Promise<Look>;
}

export interface Look {
  readonly present: Present;
  /** Puts the file there, only if what is there is still what was looked at, and wipes its plaintext. */
  write(): Promise<Written>;
}

export type Present =
  | { readonly kind: "absent" }
  /** it may not be looked at, and why */
  | { readonly kind: "hidden"; readonly error: SealexecError }
  /** a set of parts that are written one by one: nothing tells one state of it from another */
  | { readonly kind: "parts"; readonly changes: Changes | undefined }
  | PresentThere;

export interface PresentThere extends Comparison {
  readonly kind: "there";
  /** tells this state of it from any other */
  readonly etag: string;
  /** the file holds the same, and what seals it is the same too */
  readonly same: boolean;
  /** what it is, for the report of a push that has nothing to do */
  readonly state: State;
}

/** Of what lies at a target. */
export interface State {
  readonly version?: string | undefined;
  readonly etag?: string | undefined;
  readonly revision?: number | undefined;
  readonly format?: string | undefined;
  readonly key?: string | undefined;
}

export interface Written {
  readonly state: State;
  /** to be printed, in this order: names and facts, never a value */
  readonly facts: readonly Fact[];
  /** names that are there still and that the file has not */
  readonly kept?: readonly string[];
}

/** A .env that was read and checked. */
export interface CheckedFile {
  /** wiped by whoever has no more use of it */
  readonly plaintext: Uint8Array;
  readonly variables: Variables;
}

export type Fact = readonly [name: string, value: string];

export function chosenKey({ key }: PushOptions): Key {
  if (key !== undefined) return key;
  const hint = "a KMS key id, ARN or alias, such as alias/my-app";
  throw new SealexecError("usage", "no key: give --key KEY or set SEALEXEC_KEY", { hint });
}

/** The key of KMS with which a store encrypts by itself; undefined: its own. */
export function storeKey(store: string, { key, sealingFlag }: PushOptions): Key | undefined {
  if (sealingFlag !== undefined)
    throw new SealexecError("usage", `${sealingFlag} is for sealed objects: ${store} has no such thing`);
  if (needsAws(key)) return key;
  const hint = "give --key KEY of KMS, or unset SEALEXEC_KEY for the store's own";
  throw new SealexecError("usage", `a local key cannot encrypt in ${store}`, { hint });
}
