/** Which store a URI is of. */
import { SealexecError } from "../base/errors.ts";
import type { Source, Store } from "./source.ts";
import { takeOptions } from "./uri-options.ts";

/** Scheme → its code. Adding a store is adding its folder and its line (docs/architecture.md). */
const STORES: Readonly<Record<string, () => Promise<{ readonly store: Store }>>> = {
  s3: () => import("./s3/store.ts"),
  file: () => import("./sealed-file/store.ts"),
  secretsmanager: () => import("./secrets-manager/store.ts"),
  ssm: () => import("./ssm/store.ts"),
  vault: () => import("./vault/store.ts"),
  "env-file": () => import("./mounted/store.ts"),
  dir: () => import("./mounted/store.ts"),
  "json-file": () => import("./mounted/store.ts"),
};

/** The schemes, for messages and help. */
export const SCHEMES: readonly string[] = Object.keys(STORES);

/**
 * Parses a source's URI, with the options that it has.
 *
 * @throws "usage"
 */
export async function parseSource(uri: string): Promise<Source> {
  const scheme = /^([a-z][a-z0-9-]*):/.exec(uri)?.[1] ?? "";
  const load = Object.hasOwn(STORES, scheme) ? STORES[scheme] : undefined;
  if (load === undefined) {
    // Of a URI without a scheme we know, nothing is repeated: it could be a value in the wrong place.
    throw new SealexecError("usage", `the source URI: does not begin with ${SCHEMES.map(form).join(", ")}`, {
      hint: "an object in S3 is s3://BUCKET/KEY, a sealed file file:PATH, a plain .env env-file:PATH",
    });
  }
  const { store } = await load();
  const { uri: address, options } = takeOptions(uri);
  return { ...store.parse(address), options };
}

/** Whether commas stand between URIs. */
export function hasCommas(text: string): boolean {
  return SCHEMES.some((scheme) => text.includes(`,${form(scheme)}`)) || /,\s/.test(text);
}

/** Whether a word of the command line is a source's URI, by its scheme. */
export function namesSource(word: string): boolean {
  const [, scheme = "", slashes] = /^([a-z][a-z0-9-]*):(\/\/)?./.exec(word) ?? [];
  return Object.hasOwn(STORES, scheme) && (slashes !== undefined || !form(scheme).endsWith("//"));
}

function form(scheme: string): string {
  return scheme === "s3" || scheme === "ssm" || scheme === "secretsmanager" || scheme === "vault"
    ? `${scheme}://`
    : `${scheme}:`;
}
