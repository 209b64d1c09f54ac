/** From a source to its text or variables: read, and opened where it is sealed. */
import { step } from "../context.ts";
import type { Context } from "../context.ts";
import type { Content, SealedObject, Source, Tools } from "../stores/source.ts";
import { openSealed } from "./open.ts";
import type { OpenPolicy } from "./open.ts";

/** Plain by now; the bytes are the caller's to wipe. */
export type PlainContent = Exclude<Content, { readonly kind: "sealed" }> & {
  /** what it was opened from, where it was sealed */
  readonly sealed?: FoundSealed;
};

export interface FoundSealed {
  readonly object: SealedObject;
  readonly revision: number | undefined;
}

/** @throws SealexecError, its message led by the stage and the target */
export async function readSource(source: Source, policy: OpenPolicy, tools: Tools): Promise<PlainContent> {
  const content = await readContent(source, tools, tools.context);
  if (content.kind !== "sealed") return content;
  const { sealed: object, validator } = content;
  const { plaintext, revision } = await openSealed(source.uri, object, policyFor(source, policy), tools);
  return { kind: "text", bytes: plaintext, validator, sealed: { object, revision } };
}

/** A file has no other clock than this machine's: its time tells nothing. */
function policyFor({ dated }: Source, policy: OpenPolicy): OpenPolicy {
  const { largestLagMs, ...rest } = policy;
  return dated === true || largestLagMs === undefined ? policy : rest;
}

function readContent(source: Source, tools: Tools, context: Context): Promise<Content> {
  return step(context, "object", source.uri, () => source.read(tools), describeContent);
}

function describeContent(content: Content): string {
  if (content.kind === "sealed") {
    const { body, versionId } = content.sealed;
    return `${body.length} bytes${versionId === undefined ? "" : `, version ${versionId}`}`;
  }
  const detail = content.detail === undefined ? "" : `, ${content.detail}`;
  return content.kind === "text"
    ? `${content.bytes.length} bytes${detail}`
    : `${content.variables.size} variables${detail}`;
}
