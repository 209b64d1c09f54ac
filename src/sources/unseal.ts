/** Opening one sealed object: the way that `run`, `check` and `pull` share, so that none can be laxer than another. */
import { step } from "../base/context.ts";
import type { Context } from "../base/context.ts";
import { SealexecError } from "../base/errors.ts";
import {
  SEAL_AGAIN,
  checkContext,
  checkRevision,
  openEnvelope,
  readEnvelope,
  sealedFormat,
} from "../envelope/index.ts";
import type { Accepted, EncryptionContext, Envelope, Format, Reading } from "../envelope/index.ts";
import type { Dialect } from "../text/dialect.ts";
import { counted } from "../base/logger.ts";
import type { Key } from "../keys/key.ts";
import { unwrap } from "../keys/keyring.ts";
import { refuseAhead, refuseLag } from "./freshness.ts";
import type { SealedObject, Tools } from "../stores/source.ts";

/** What must hold of a sealed object for it to be opened. */
export interface OpenPolicy {
  /** the only key that may open it, KMS's or `local:PATH`; undefined: any of KMS that these credentials may use */
  readonly key: Key | undefined;
  /** the encryption context that must be there, exactly; undefined: any but a wrong binding */
  readonly context: EncryptionContext | undefined;
  readonly accept: Accepted;
  /** what the text in it is to be read as; "any": who opens it looks by itself at what it was sealed as */
  readonly dialect?: Dialect | "any" | undefined;
  /** the oldest revision that may be opened; 0: any, also an object without one */
  readonly leastRevision: number;
  /** how long after its revision an object may have been written, milliseconds; absent: any time */
  readonly largestLagMs?: number;
}

export interface Opened {
  /** whole and verified; if nothing verifies it (kms-cbc): what opens it, once */
  readonly plaintext: Uint8Array | (() => Uint8Array);
  readonly format: Format;
  /** of the key of KMS that opened it, or `local:PATH` */
  readonly keyArn: string;
  readonly revision: number | undefined;
  /** to its place; otherwise it was opened because that is accepted */
  readonly isBound: boolean;
  /** authenticated by now */
  readonly encryptionContext: EncryptionContext;
}

/** Checks the format and the context of a sealed object, has its data key opened, and opens the body. */
export async function openSealed(
  uri: string,
  object: SealedObject,
  policy: OpenPolicy,
  tools: Tools,
): Promise<Opened> {
  const { context } = tools;
  const envelope = await readFormat(uri, object, policy, context);
  const { isBound, revision } = await step(
    context,
    "context",
    uri,
    () => readContext(uri, envelope, object, policy),
    (found) => {
      const said = found.revision === undefined ? "no revision" : `revision ${found.revision}`;
      return found.isBound ? said : `not bound to its place, ${said}`;
    },
  );
  const under = `${uri} under ${policy.key?.text ?? "the key that sealed it"}`;
  const unwrapKey = () => unwrap(policy.key, envelope, object.located, tools);
  const dataKey = await step(context, "key", under, unwrapKey, (opened) => opened.keyArn);
  const open = (): Uint8Array => {
    try {
      return hinted(() => openEnvelope(envelope, dataKey.plaintext, object.body));
    } finally {
      dataKey.plaintext.fill(0);
    }
  };
  const plaintext = envelope.format === "kms-cbc" ? open : await step(context, "decrypt", uri, open);
  const { format, encryptionContext } = envelope;
  return { plaintext, format, keyArn: dataKey.keyArn, revision, isBound, encryptionContext };
}

function readContext(
  uri: string,
  envelope: Envelope,
  object: SealedObject,
  policy: OpenPolicy,
): { readonly isBound: boolean; readonly revision: number | undefined } {
  const isBound = checkContext(envelope, {
    object: object.place,
    unbound: policy.accept.has("unbound"),
    context: policy.context,
  });
  if (policy.dialect !== "any") checkDialect(uri, envelope, isBound, policy.dialect);
  const revision = checkRevision(envelope.encryptionContext, policy.leastRevision);
  // Not authenticated yet, but a refusal may come of it; KMS, which is asked next, has the last word on it.
  refuseAhead(revision, object);
  if (policy.largestLagMs !== undefined) refuseLag(revision, object, policy.largestLagMs);
  return { isBound, revision };
}

// The text is read as what it was sealed as: a writer who lets JSON be read as a .env would choose what is in
// it. Other clients do not say what theirs is: of what is not bound, the reader's word counts.
export function checkDialect(
  uri: string,
  envelope: Envelope,
  isBound: boolean,
  dialect: Dialect = "dotenv",
): void {
  const sealed = sealedFormat(envelope) ?? (isBound ? "dotenv" : undefined);
  if (sealed === undefined || sealed === dialect) return;
  // Only what is plainly a name is repeated.
  const shown = /^[a-z][a-z0-9-]{0,19}$/.test(sealed) ? sealed : "another format";
  const right = `${uri}${uri.includes("?") ? "&" : "?"}format=${shown}`;
  throw new SealexecError("data", `sealed as ${shown}, and not to be read as ${dialect}`, {
    hint: shown === sealed ? `its URI is ${shown === "dotenv" ? uri : right}` : SEAL_AGAIN,
  });
}

async function readFormat(
  uri: string,
  object: SealedObject,
  policy: OpenPolicy,
  context: Context,
): Promise<Envelope> {
  const readWith = (file?: Uint8Array): Promise<Reading> => {
    const read = (): Reading => hinted(() => readEnvelope(object, policy.accept, file));
    return step(context, "format", uri, read, describeReading);
  };
  const reading = await readWith();
  if (reading.kind === "envelope") return reading.envelope;
  const { instructionFile } = object;
  if (instructionFile === undefined)
    throw new SealexecError("data", "its data key is not in it").at("format", uri);
  const read = () => instructionFile.read();
  const file = await step(context, "object", instructionFile.uri, read, ({ length }) =>
    counted(length, "byte"),
  );
  const second = await readWith(file);
  if (second.kind === "envelope") return second.envelope;
  throw new Error("an instruction file asked for another");
}

/** The envelope says what is wrong with an object; what to do about it is the same for nearly all. */
function hinted<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SealexecError) || error.hint !== undefined) throw error;
    throw error.hinting("restore an earlier version of the object, or seal it again: sealexec push");
  }
}

function describeReading(reading: Reading): string {
  return reading.kind === "envelope" ? reading.envelope.format : "its data key is in an instruction file";
}
