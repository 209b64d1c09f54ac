/** What a store gives for a URI. A store is a folder here and a line in registry.ts; none sees another. */
import type { AwsNeed, AwsSession, Located } from "../aws/session.ts";
import type { Context } from "../base/context.ts";
import type { Metadata } from "../envelope/format.ts";
import type { Dialect } from "../text/dialect.ts";
import type { Variables } from "../base/secret.ts";
import type { VaultClient } from "../vault/client.ts";
import type { Grammar, ParsedUri, UriOptions } from "./uri.ts";

/** What a store offers. */
export interface Store<Name extends string = string> {
  readonly grammar: Grammar<Name>;
  /** @throws "usage", naming what is wrong and the form; "config" for what is no region */
  source(parsed: ParsedUri<Name>): StoreSource;
}

/** One place that variables come from, and what holds for it alone. */
export interface Source extends StoreSource {
  readonly options: UriOptions;
}

/** What a store gives of it. */
export interface StoreSource {
  /** for people: no secret in it, nothing unprintable */
  readonly uri: string;
  /** what it takes of AWS; absent: nothing, and no AWS credentials are looked for on its behalf */
  readonly aws?: AwsNeed;
  /** of what is sealed and lies in one place: that place, which the binding of its encryption context must name */
  readonly place?: string;
  /** its store says by a clock of its own when it was written */
  readonly dated?: true;
  /** what reading it gives */
  readonly gives: Content["kind"];
  /** what its text is, by its URI (`?format=`) or its store; absent: a .env */
  readonly dialect?: Dialect;
  /** Loads the code that reading takes, if that is much: called while connections and credentials are on their way. */
  prepare?(): Promise<unknown>;
  /**
   * Reads it whole. A failure is a SealexecError without stage and target: the caller's `step` adds both.
   *
   * @throws "missing", "denied", "data", "config", "unavailable", "timeout"
   */
  read(tools: Tools): Promise<Content>;
  /**
   * The validator of what is there now; undefined: the same as was read. One request (or more, if the store
   * says so), in which no key is used. Absent: what it names never changes.
   */
  look?(validator: string, tools: Tools): Promise<string | undefined>;
  /** the folders in which a change of it shows */
  readonly folders?: readonly string[];
}

/** Which state of it was read, as its store names it and `push --if-match` takes it. */
export interface State {
  readonly etag?: string | undefined;
  readonly versionId?: string | undefined;
}

/** The bytes may be wiped by whoever takes them. */
export type Content = Kinds & {
  /** what tells this state of it from any other (RFC 9110, section 8.8); absent: it cannot be looked at again (a pipe) */
  readonly validator?: string | undefined;
};

type Kinds =
  | { readonly kind: "sealed"; readonly sealed: SealedObject }
  /** plain, in the source's dialect */
  | (State & { readonly kind: "text"; readonly bytes: Uint8Array; readonly detail?: string })
  /** the store's own form of variables */
  | (State & { readonly kind: "variables"; readonly variables: Variables; readonly detail?: string });

/** A sealed object as it was found, still sealed. */
export interface SealedObject extends State {
  readonly metadata: Metadata;
  readonly body: Uint8Array;
  /** the store's own time as it answered, milliseconds since 1970 */
  readonly date?: number | undefined;
  /** when the store says that this was written, milliseconds since 1970 */
  readonly lastModified?: number | undefined;
  /** where it was found: the binding in its encryption context must say the same */
  readonly place: string;
  /** decides which KMS is asked */
  readonly located: Located;
  /** what Amazon's clients put beside it; read only if the metadata says that the data key is there */
  readonly instructionFile?: InstructionFile;
}

export interface InstructionFile {
  /** for people */
  readonly uri: string;
  read(): Promise<Uint8Array>;
}

/** What a source is read with. */
export interface Tools {
  readonly context: Context;
  /** made when it is first asked for; likewise the client of Vault */
  readonly session: AwsSession;
  vault(): Promise<VaultClient>;
}

/** What AWS is asked with. */
export type AwsTools = Pick<Tools, "session" | "context">;
