/** Scheme → the code of the target that `push` writes to. */
import type { Context } from "../../base/context.ts";
import { SealexecError } from "../../base/errors.ts";
import { takeOptions } from "../../stores/uri-options.ts";
import type { UriOptions } from "../../stores/uri-options.ts";
import type { PushFlags } from "../push-flags.ts";
import type { Target } from "../target.ts";

/** @param uri without the options of uri-options.ts */
type MakeTarget = (uri: string, flags: PushFlags, context: Context) => Target;

/** Scheme → its code. */
const TARGETS: Readonly<Record<string, () => Promise<MakeTarget>>> = {
  s3: async () => (await import("./s3.ts")).s3Target,
  file: async () => (await import("./sealed-file.ts")).sealedFileTarget,
  secretsmanager: async () => (await import("./secrets-manager.ts")).secretTarget,
  ssm: async () => (await import("./ssm.ts")).ssmTarget,
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
