/** Where `push` can put a .env: one target for each store that can be written. */
import type { Context } from "../context.ts";
import type { Dialect } from "../dialects/dialect.ts";
import { SealexecError } from "../errors.ts";
import { localKeyPath } from "../key-name.ts";
import { parseCredentials, parseKey } from "../options.ts";
import type { Variables } from "../secret.ts";
import { RunTools } from "../stores/tools.ts";
import { takeOptions } from "../stores/uri-options.ts";
import type { UriOptions } from "../stores/uri-options.ts";
import type { Changes, Comparison } from "./changes.ts";
import type { PushFlags } from "./push.ts";

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

/** What was found at a target. */
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

/** What can be told of what lies at a target. A part that it has not is absent. */
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

/** @param uri without the options of uri-options.ts */
type MakeTarget = (uri: string, flags: PushFlags, context: Context) => Target;

/** Scheme → its code. */
const TARGETS: Readonly<Record<string, () => Promise<MakeTarget>>> = {
  s3: async () => (await import("./targets/s3.ts")).s3Target,
  file: async () => (await import("./targets/sealed-file.ts")).sealedFileTarget,
  secretsmanager: async () => (await import("./targets/secrets-manager.ts")).secretTarget,
  ssm: async () => (await import("./targets/ssm.ts")).ssmTarget,
};

/** @throws "usage" where the URI is not of the form, its store cannot be written, or a flag makes no sense there */
export async function parseTarget(
  uri: string,
  flags: PushFlags,
  context: Context,
): Promise<Target & { readonly options: UriOptions }> {
  const scheme = /^([a-z][a-z0-9-]*):/.exec(uri)?.[1] ?? "";
  const load = Object.hasOwn(TARGETS, scheme) ? TARGETS[scheme] : undefined;
  if (load === undefined) {
    // What looks like neither a path nor a URI could be a value in the wrong place.
    const named = /^[\w./:-]*[./:][\w./:-]*$/.test(uri) ? uri.slice(0, 200) : "the target";
    throw new SealexecError("usage", `${named}: push does not write there`, {
      hint: "it takes s3://BUCKET/KEY, file:PATH, secretsmanager://NAME-or-ARN and ssm:///PATH/",
    });
  }
  const { uri: address, options } = takeOptions(uri);
  const pairs = Object.entries(options.context ?? {}).map(([name, value]) => `${name}=${value}`);
  const own = pairs.length === 0 ? flags : { ...flags, context: pairs };
  return { ...(await load())(address, own, context), options };
}

/** The key that the flags or the environment name. */
export function keyOf(flags: PushFlags, context: Context): string | undefined {
  const key = flags.key ?? context.env["SEALEXEC_KEY"];
  return key === undefined ? undefined : parseKey(key);
}

/** The same where a store encrypts by itself, with a key of KMS or its own. */
export function storeKeyOf(store: string, flags: PushFlags, context: Context): string | undefined {
  const key = keyOf(flags, context);
  if (localKeyPath(key) === undefined) return key;
  throw new SealexecError("usage", `a local key cannot encrypt in ${store}`, {
    hint: "give --key KEY of KMS, or unset SEALEXEC_KEY for the store's own",
  });
}

/** What a push asks AWS with, as the flags and the environment describe it. */
export function openTools(key: string | undefined, flags: PushFlags, context: Context): RunTools {
  return new RunTools(context, key, parseCredentials(flags.credentials, context.env));
}

/** Refuses the flags that are about sealing, where the store encrypts by itself. */
export function refuseSealingFlags(store: string, flags: PushFlags): void {
  const given = {
    "--format v2": flags.format === "v2",
    "--no-bind": !flags.bind,
    "--context": flags.context !== undefined,
    "--revision": flags.revision !== undefined,
  };
  for (const [flag, isGiven] of Object.entries(given)) {
    if (isGiven)
      throw new SealexecError("usage", `${flag} is for sealed objects: ${store} has no such thing`);
  }
}
