import type { Credentials } from "../aws/credentials/source.ts";
import { step } from "../base/context.ts";
import type { Context } from "../base/context.ts";
import type { LookUp } from "../text/docker.ts";
import { SealexecError } from "../base/errors.ts";
import { argumentLimit } from "../process/limits.ts";
import { counted } from "../base/logger.ts";
import type { FoundSealed, PlainContent, UnverifiedText } from "./read.ts";
import type { Variables } from "../base/secret.ts";
import { RunTools } from "./tools.ts";
import type { Source, State, Tools } from "../stores/source.ts";
import type { SizeLimit } from "../base/start-size.ts";
import { requireNames, requireOnly, takeOnly } from "../text/names.ts";
import type { Origin } from "./explain.ts";
import type { SourceOptions } from "./options.ts";

export interface OpenedSource extends Origin {
  /** of what was read; undefined: it cannot be looked at again */
  readonly validator: string | undefined;
  readonly state: State;
  /** undefined: it was not sealed */
  readonly sealed: FoundSealed | undefined;
}

export interface Opened {
  readonly variables: Variables;
  readonly sources: readonly OpenedSource[];
}

/** What the sources of one run are read with. */
export function toolsFor(options: SourceOptions, context: Context): RunTools {
  return new RunTools(context, options.open.key, options.credentials);
}

/** Opens every source and merges them in order: a later one wins. All or nothing. */
export async function openSources(options: SourceOptions, tools: RunTools): Promise<Opened> {
  const { context } = tools;
  const needsAws = await tools.begin(options.sources);
  context.trace?.mark("requests on their way");
  // Most of a start's code is loaded while they are.
  await Promise.all([
    import("./read.ts"),
    import("../text/parse.ts"),
    import("../text/refused.ts"),
    ...options.sources.map((source) => source.prepare?.()),
  ]);
  context.trace?.mark("code of opening");
  if (needsAws) await tellCredentials(await tools.session.credentials(), options, context);
  const sources = await Promise.all(options.sources.map((source) => openSource(source, options, tools)));
  return { variables: await mergeSources(sources, options, context), sources };
}

/** For `--explain`. */
export async function tellCredentials(
  credentials: Credentials,
  { explain }: SourceOptions,
  context: Context,
): Promise<void> {
  if (explain === undefined) return;
  const { explainCredentials } = await import("./explain.ts");
  for (const line of explainCredentials(credentials)) context.log.explain(line);
}

export async function mergeSources(
  opened: readonly Origin[],
  { names, explain }: SourceOptions,
  context: Context,
): Promise<Variables> {
  const merged = new Map(opened.flatMap(({ variables }) => [...variables]));
  if (explain !== undefined) {
    const { explainVariables } = await import("./explain.ts");
    for (const line of explainVariables(opened, explain)) context.log.explain(line);
  }
  const check = (): void => {
    requireOnly(merged, names.only);
    requireNames(merged, names.require);
  };
  await step(context, "required names", "all sources", check, () => names.require.join(", ") || "none");
  return merged;
}

export async function openSource(
  source: Source,
  options: SourceOptions,
  tools: Tools,
): Promise<OpenedSource> {
  const { uri } = source;
  const allow = new Set([...options.names.allow, ...(source.options.allow ?? [])]);
  const { context } = tools;
  const { readSource } = await import("./read.ts");
  const leastRevision = Math.max(options.open.leastRevision, options.seen?.get(uri) ?? 0);
  const content = await readSource(source, { ...options.open, leastRevision }, tools);
  const lookUp: LookUp = (name) =>
    Object.hasOwn(context.env, name) && options.handsOn?.(name) !== false ? context.env[name] : undefined;
  // With --only most of what is read may be left out.
  const limit = options.names.only === undefined ? argumentLimit : undefined;
  const all = await variablesOf(content, source, { lookUp, limit }, context);
  // What is left out needs no refusal.
  const variables = takeOnly(all, options.names.only);
  const { refuseNames } = await import("../text/refused.ts");
  await step(context, "refused names", uri, () => refuseNames(variables, allow));
  // It may be meant so; but a secret that nobody filled, or that is not mounted, looks the same.
  if (all.size === 0)
    context.log.warn(`${uri}: no variables in it`, undefined, { code: "no-variables", target: uri });
  const leftOut = [...all.keys()].filter((name) => !variables.has(name));
  const { validator, sealed } = content;
  const { versionId, etag } = sealed?.object ?? content;
  return { uri, variables, leftOut, validator, state: { versionId, etag }, sealed };
}

interface Reading {
  /** what is set already */
  readonly lookUp: LookUp;
  /** what is read of one source; undefined: what no machine could start a program with */
  readonly limit: SizeLimit | undefined;
}

async function variablesOf(
  content: PlainContent,
  source: Source,
  reading: Reading,
  context: Context,
): Promise<Variables> {
  const count = (parsed: Variables): string => counted(parsed.size, "variable");
  switch (content.kind) {
    case "variables":
      return content.variables;
    case "text":
      return step(context, "dotenv", source.uri, () => parseContent(content.bytes, source, reading), count);
    case "unverified":
      return step(context, "decrypt", source.uri, () => parseUnverified(content, source, reading), count);
  }
}

/** One failure for all that can be wrong with it: bad padding, bytes that are no text, a line that is no variable. */
async function parseUnverified(
  { open }: UnverifiedText,
  source: Source,
  reading: Reading,
): Promise<Variables> {
  try {
    return await parseContent(open(), source, reading);
  } catch {
    // Without a cause, which would tell them apart.
    const why = "the object or its key was replaced or damaged, or its text is not valid";
    const hint = "see what it holds by sealexec pull, and seal it again in a newer format: sealexec push";
    throw new SealexecError("data", `cannot be opened as ${source.dialect ?? "dotenv"}: ${why}`, { hint });
  }
}

async function parseContent(
  bytes: Uint8Array,
  { dialect = "dotenv" }: Source,
  { lookUp, limit }: Reading,
): Promise<Variables> {
  const { parseText } = await import("../text/parse.ts");
  try {
    return await parseText(bytes, dialect, lookUp, limit);
  } finally {
    bytes.fill(0);
  }
}
