/** From a source to its text or variables: read, and opened where it is sealed. */
import { step } from "../context.ts";
import type { Context } from "../context.ts";
import type { Format } from "../envelope/index.ts";
import { counted } from "../logger.ts";
import type { Content, SealedObject, Source, Tools } from "../stores/source.ts";
import { openSealed } from "./open.ts";
import type { OpenPolicy } from "./open.ts";

/** Plain by now; the bytes are the caller's to wipe. */
export type PlainContent = (Exclude<Content, { readonly kind: "sealed" }> | UnverifiedText) & {
  /** what it was opened from, where it was sealed */
  readonly sealed?: FoundSealed;
};

/**
 * A text that nothing authenticates. Its padding is looked at as it is opened: whoever may write the object learns what
 * it holds by changing it, if they are told what is wrong with it. So opening and reading it are to fail alike.
 */
export interface UnverifiedText {
  readonly kind: "unverified";
  /** to be called once; the bytes are the caller's to wipe */
  readonly open: () => Uint8Array;
  readonly validator: string | undefined;
}

export interface FoundSealed {
  readonly object: SealedObject;
  readonly format: Format;
  /** of the key of KMS that opened it, or `local:PATH` */
  readonly keyArn: string;
  readonly revision: number | undefined;
  readonly isBound: boolean;
}

/** @throws SealexecError, its message led by the stage and the target */
export async function readSource(source: Source, policy: OpenPolicy, tools: Tools): Promise<PlainContent> {
  const content = await readContent(source, tools, tools.context);
  if (content.kind !== "sealed") return content;
  const { sealed: object, validator } = content;
  const opened = await openSealed(source.uri, object, policyOf(source, policy), tools);
  const { plaintext, format, keyArn, revision, isBound } = opened;
  const sealed = { object, format, keyArn, revision, isBound };
  return plaintext instanceof Uint8Array
    ? { kind: "text", bytes: plaintext, validator, sealed }
    : { kind: "unverified", open: plaintext, validator, sealed };
}

/** What must hold of one source: its URI's own word is the nearest. A file has this machine's clock: its time tells nothing. */
function policyOf({ dated, dialect, options }: Source, policy: OpenPolicy): OpenPolicy {
  const { accept = [], context = policy.context } = options;
  const { largestLagMs, ...rest } = policy;
  const own = { ...rest, dialect, context, accept: new Set([...policy.accept, ...accept]) };
  return dated === true && largestLagMs !== undefined ? { ...own, largestLagMs } : own;
}

function readContent(source: Source, tools: Tools, context: Context): Promise<Content> {
  return step(context, "object", source.uri, () => source.read(tools), describeContent);
}

function describeContent(content: Content): string {
  if (content.kind === "sealed") {
    const { body, versionId, etag } = content.sealed;
    const facts = { version: versionId, etag };
    const known = Object.entries(facts).filter(([, value]) => value !== undefined);
    return [counted(body.length, "byte"), ...known.map(([name, value]) => `${name} ${value}`)].join(", ");
  }
  const detail = content.detail === undefined ? "" : `, ${content.detail}`;
  return content.kind === "text"
    ? `${counted(content.bytes.length, "byte")}${detail}`
    : `${counted(content.variables.size, "variable")}${detail}`;
}
