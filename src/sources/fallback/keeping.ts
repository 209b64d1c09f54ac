/** Opening with `--fallback`: its code is loaded only for it. */
import type { Context } from "../../base/context.ts";
import type { Host } from "../../process/replace.ts";
import type { Fallback } from "./fallback.ts";
import type { RunTools } from "../tools.ts";
import type { RunOptions } from "../options.ts";
import { openSources } from "../sources.ts";
import type { Opened } from "../sources.ts";

/** What was kept; undefined: nothing is to be. */
export async function openFallback(
  { fallback }: RunOptions,
  { image }: Host,
  context: Context,
): Promise<Fallback | undefined> {
  if (fallback === undefined) return undefined;
  const { Fallback } = await import("./fallback.ts");
  return new Fallback({ ...fallback, uid: image.uid }, context);
}

/** openSources, with what is kept if S3 is away; what S3 has is kept once all is verified. */
export async function openKeeping(
  fallback: Fallback | undefined,
  options: RunOptions,
  tools: RunTools,
): Promise<Opened> {
  if (fallback === undefined) return openSources(options, tools);
  const sources = fallback.behind(options.sources);
  const opened = await openSources({ ...options, sources, seen: fallback.seen }, tools);
  fallback.keep(opened.sources);
  return opened;
}
