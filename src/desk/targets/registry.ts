/** Scheme → the code of the target that `push` writes to. */
import type { Context } from "../../base/context.ts";
import { SealexecError } from "../../base/errors.ts";
import { ofScheme } from "../../stores/registry.ts";
import { parseUri, type UriOptions } from "../../stores/uri.ts";
import type { PushOptions, Target, TargetStore } from "../target.ts";

const TARGETS: Readonly<Record<string, () => Promise<TargetStore>>> = {
  s3: async () => (await import("./s3.ts")).s3,
  file: async () => (await import("./sealed-file.ts")).sealedFile,
  secretsmanager: async () => (await import("./secrets-manager.ts")).secretsManager,
  ssm: async () => (await import("./ssm.ts")).ssm,
};

/** @throws "usage": not of the form, no store that can be written, or an option makes no sense there */
export async function parseTarget(
  uri: string,
  options: PushOptions,
  context: Context,
): Promise<Target & { readonly options: UriOptions }> {
  const load = ofScheme(uri, TARGETS);
  if (load === undefined) {
    // What looks like neither a path nor a URI could be a value in the wrong place.
    const named = /^[\w./:-]*[./:][\w./:-]*$/.test(uri) ? uri.slice(0, 200) : "the target";
    const hint = "it takes s3://BUCKET/KEY, file:PATH, secretsmanager://NAME-or-ARN and ssm:///PATH/";
    throw new SealexecError("usage", `${named}: push does not write there`, { hint });
  }
  const store = await load();
  const parsed = parseUri(uri, store.grammar);
  const { context: encryptionContext = options.context } = parsed.options;
  const target = store.target(parsed, { ...options, context: encryptionContext }, context);
  return { ...target, options: parsed.options };
}
