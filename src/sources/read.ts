/** From a source to its text or variables: read, and opened if it is sealed. */
import { step } from "../base/context.ts";
import { defined } from "../base/defined.ts";
import { counted } from "../base/logger.ts";
import type { Content, SealedObject, Source, State, Tools } from "../stores/source.ts";
import { openSealed } from "./unseal.ts";
import type { OpenPolicy, Opened } from "./unseal.ts";

/** Plain by now; the bytes are the caller's to wipe. */
export type PlainContent = (Exclude<Content, { readonly kind: "sealed" }> | UnverifiedText) & {
  /** what it was opened from */
  readonly sealed?: FoundSealed;
};

// Nothing authenticates it, and its padding is looked at: who may write the object learns what it holds by
// changing it, if they are told what is wrong. So opening and reading it are to fail alike.
export interface UnverifiedText extends State {
  readonly kind: "unverified";
  /** to be called once; the bytes are the caller's to wipe */
  readonly open: () => Uint8Array;
  readonly validator: string | undefined;
}

export type FoundSealed = Omit<Opened, "plaintext" | "encryptionContext"> & { readonly object: SealedObject };

export async function readSource(source: Source, policy: OpenPolicy, tools: Tools): Promise<PlainContent> {
  const content = await step(tools.context, "object", source.uri, () => source.read(tools), describeContent);
  if (content.kind !== "sealed") return content;
  const { sealed: object, validator } = content;
  const opened = await openSealed(source.uri, object, policyOf(source, policy), tools);
  const { plaintext, encryptionContext: _, ...found } = opened;
  const sealed = { object, ...found };
  return plaintext instanceof Uint8Array
    ? { kind: "text", bytes: plaintext, validator, sealed }
    : { kind: "unverified", open: plaintext, validator, sealed };
}

/** What must hold of one source: its URI's own word is the nearest. A file has this machine's clock, and its time tells nothing. */
function policyOf({ dated, dialect, options }: Source, policy: OpenPolicy): OpenPolicy {
  const { accept = [], context = policy.context } = options;
  const { largestLagMs, ...rest } = policy;
  const own = { ...rest, dialect, context, accept: new Set([...policy.accept, ...accept]) };
  return dated === true && largestLagMs !== undefined ? { ...own, largestLagMs } : own;
}

function describeContent(content: Content): string {
  switch (content.kind) {
    case "sealed":
      return describe(counted(content.sealed.body.length, "byte"), content.sealed);
    case "text":
      return describe(counted(content.bytes.length, "byte"), content);
    case "variables":
      return describe(counted(content.variables.size, "variable"), content);
  }
}

function describe(size: string, { detail, versionId, etag }: State & { readonly detail?: string }): string {
  const state = Object.entries(defined({ version: versionId, etag }));
  const facts = [size, detail, ...state.map(([name, value]) => `${name} ${value}`)];
  return facts.filter((fact) => fact !== undefined).join(", ");
}
