/** What is there before a push: only what is authenticated under the push's own key counts. */
import { parseDialect, type Dialect } from "../text/dialect.ts";
import { parseText } from "../text/parse.ts";
import {
  BINDING_NAME,
  RESERVED_CONTEXT_NAMES,
  claimedRevision,
  quote,
  sealedFormat,
} from "../envelope/index.ts";
import type { Acceptance, EncryptionContext, Metadata } from "../envelope/index.ts";
import { SealexecError } from "../base/errors.ts";
import { needsAws, type Key } from "../keys/key.ts";
import { HONEST_LAG_MS, lagOf } from "../sources/freshness.ts";
import { openSealed, type Opened } from "../sources/unseal.ts";
import type { SealedObject, Tools } from "../stores/source.ts";
import { changesBetween, type Comparison } from "./changes.ts";
import type { CheckedFile, State } from "./target.ts";

/** How the push is going to seal. */
export interface Sealing {
  readonly key: Key;
  readonly format: "v3" | "v2";
  /** without a revision */
  readonly encryptionContext: EncryptionContext;
  readonly dialect: Dialect | undefined;
}

export interface OpenedPresent extends Comparison {
  /** the revision of what is there, as far as it counts: authenticated and bound to this place */
  readonly before: number | undefined;
  /** the file holds the same, and it is to be sealed in the same way */
  readonly same: boolean;
  readonly state: State;
}

/** KMS does not let these credentials open it; that another key sealed it is another thing. */
const KEY_DENIED = "key-denied";
/** All that is authenticated: that `run` accepts only some of it is no reason to lose its revision. */
const ACCEPTED: readonly Acceptance[] = ["v2", "unbound"];

/** Opens what is there, compares it with the file, and wipes it. What does not open says nothing. */
export async function openPresent(
  name: string,
  object: SealedObject,
  file: CheckedFile,
  sealing: Sealing,
  tools: Tools,
): Promise<OpenedPresent> {
  const { key } = sealing;
  const local = needsAws(key) ? [] : (["local-key"] as const);
  const accept = new Set([...ACCEPTED, ...local]);
  const policy = { key, context: undefined, accept, dialect: "any", leastRevision: 0 } as const;
  try {
    const opened = await openSealed(name, object, policy, tools);
    const was = typeof opened.plaintext === "function" ? opened.plaintext() : opened.plaintext;
    try {
      return await compare(object, opened, was, file, sealing);
    } finally {
      was.fill(0);
    }
  } catch (error) {
    if (!(error instanceof SealexecError) || !isAboutObject(error)) throw error;
    const { versionId: version, etag } = object;
    const before = error.code === KEY_DENIED ? claimOf(object.metadata) : undefined;
    return { before, same: false, changes: undefined, why: error.message, state: { version, etag } };
  }
}

/** It comes of what is there, or of the key that sealed it: not of the network, nor of these credentials. */
function isAboutObject({ kind, code }: SealexecError): boolean {
  return kind === "data" || code === KEY_DENIED || code === "wrong-key";
}

async function compare(
  object: SealedObject,
  opened: Opened,
  text: Uint8Array,
  { plaintext, variables }: CheckedFile,
  sealing: Sealing,
): Promise<OpenedPresent> {
  const { versionId: version, etag } = object;
  const { revision, isBound, keyArn: key } = opened;
  const { dialect = "dotenv" } = sealing;
  const wasDialect = parseDialect(sealedFormat(opened) ?? "") ?? (isBound ? "dotenv" : dialect);
  const was = await parseText(text, wasDialect, () => undefined).catch(() => undefined);
  const isPutBack = (lagOf(revision, object) ?? 0) > HONEST_LAG_MS;
  const otherwise = [
    ...(wasDialect === dialect ? [] : [`take it for ${dialect}, not ${wasDialect}`]),
    ...sealedOtherwise(opened, sealing),
  ];
  return {
    before: isBound ? revision : undefined,
    same: !isPutBack && otherwise.length === 0 && Buffer.compare(text, plaintext) === 0,
    changes: was === undefined ? undefined : changesBetween(was, variables),
    otherwise,
    isPutBack,
    ...(was === undefined ? { why: "it opens, and is not written as variables are" } : {}),
    state: { version, etag, revision, format: opened.format, key },
  };
}

/** In what the envelope would be another, but for the revision, which is another each time. */
function sealedOtherwise(
  { format: was, isBound, encryptionContext: before }: Opened,
  { format, encryptionContext: after }: Sealing,
): string[] {
  const binds = Object.hasOwn(after, BINDING_NAME);
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [
    ...(was === format ? [] : [`seal it as ${format}, not ${was}`]),
    ...(isBound === binds ? [] : [binds ? "bind it to its place" : "not bind it to its place"]),
    ...[...names]
      .filter((name) => !RESERVED_CONTEXT_NAMES.includes(name) && before[name] !== after[name])
      .toSorted()
      .map((name) => `${verbOf(before[name], after[name])} the context ${quote(name)}`),
  ];
}

function verbOf(before: string | undefined, after: string | undefined): string {
  if (after === undefined) return "leave out";
  return before === undefined ? "add" : "change";
}

/** What anybody who can write there may have said. */
function claimOf(metadata: Metadata): number | undefined {
  try {
    return claimedRevision(metadata);
  } catch {
    return undefined;
  }
}
