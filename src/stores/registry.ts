/** Which store a URI is of. */
import { SealexecError } from "../base/errors.ts";
import type { Source, Store } from "./source.ts";
import { parseUri } from "./uri.ts";

/** Scheme → its code. Adding a store is adding its folder and its line (docs/architecture.md). */
const STORES: Readonly<Record<string, () => Promise<Store>>> = {
  s3: async () => (await import("./s3/store.ts")).s3,
  file: async () => (await import("./sealed-file/store.ts")).sealedFile,
  secretsmanager: async () => (await import("./secrets-manager/store.ts")).secretsManager,
  ssm: async () => (await import("./ssm/store.ts")).ssm,
  vault: async () => (await import("./vault/store.ts")).vault,
  "env-file": async () => (await import("./mounted/store.ts")).envFile,
  dir: async () => (await import("./mounted/store.ts")).dir,
  "json-file": async () => (await import("./mounted/store.ts")).jsonFile,
};

/** The schemes, for messages and help. */
export const SCHEMES: readonly string[] = Object.keys(STORES);

/** Parses a source's URI, with the options that it has. */
export async function parseSource(uri: string): Promise<Source> {
  const load = ofScheme(uri, STORES);
  if (load === undefined) {
    // Of a URI without a scheme we know, nothing is repeated: it could be a value in the wrong place.
    throw new SealexecError("usage", `the source URI: does not begin with ${SCHEMES.map(form).join(", ")}`, {
      hint: "an object in S3 is s3://BUCKET/KEY, a sealed file file:PATH, a plain .env env-file:PATH",
    });
  }
  const store = await load();
  const parsed = parseUri(uri, store.grammar);
  return { ...store.source(parsed), options: parsed.options };
}

/** What a table by schemes has for a URI; undefined: nothing. */
export function ofScheme<T>(uri: string, table: Readonly<Record<string, T>>): T | undefined {
  const scheme = /^([a-z][a-z0-9-]*):/.exec(uri)?.[1] ?? "";
  return Object.hasOwn(table, scheme) ? table[scheme] : undefined;
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
  return `${scheme}:${"s3 ssm secretsmanager vault".split(" ").includes(scheme) ? "//" : ""}`;
}
