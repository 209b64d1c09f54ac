/** Names of variables: which must be there, and how lists of them are written. */
import { SealexecError } from "../base/errors.ts";
import type { Variables } from "../base/secret.ts";
import { matchesName, type NamePatterns } from "../base/name-patterns.ts";

export interface NamePolicy {
  /** must be there and not empty */
  readonly require: readonly string[];
  /** refused by default, but allowed here by name */
  readonly allow: ReadonlySet<string>;
  /** these are taken from the sources, and no others; undefined: all */
  readonly only?: NamePatterns;
}

export function takeOnly(variables: Variables, only: NamePatterns | undefined): Variables {
  if (only === undefined) return variables;
  return new Map([...variables].filter(([name]) => matchesName(only, name)));
}

/** @throws "data": a slip in a name would silently leave a variable out */
export function requireOnly(variables: Variables, only: NamePatterns | undefined): void {
  const absent = [...(only?.names ?? [])].filter((name) => !variables.has(name));
  if (absent.length === 0) return;
  const hint = "correct the name in --only (SEALEXEC_ONLY), or take it out: PREFIX_* may match nothing";
  throw new SealexecError("data", `in no source: ${absent.join(", ")}`, { hint });
}

export function parsePatterns(option: string, lists: readonly string[]): NamePatterns | undefined {
  const patterns = lists.flatMap((list) => elements(option, list));
  if (patterns.length === 0) return undefined;
  for (const pattern of patterns) {
    if (/^[A-Za-z_][A-Za-z0-9_]*\*?$/.test(pattern)) continue;
    throw new SealexecError("usage", `${option}: ${JSON.stringify(pattern)} is neither a name nor PREFIX_*`, {
      hint: "the star stands at the end and nowhere else: NAME,PREFIX_*",
    });
  }
  return {
    names: new Set(patterns.filter((pattern) => !pattern.endsWith("*"))),
    prefixes: patterns.filter((pattern) => pattern.endsWith("*")).map((pattern) => pattern.slice(0, -1)),
  };
}

export function requireNames(variables: Variables, require: readonly string[]): void {
  const absent = require.filter((name) => (variables.get(name)?.sizeBytes ?? 0) === 0);
  if (absent.length === 0) return;
  const hint = "add them to the sealed .env, or take them out of --require (SEALEXEC_REQUIRE)";
  throw new SealexecError("data", `missing or empty: ${absent.join(", ")}`, { hint });
}

export function parseNames(option: string, lists: readonly string[]): string[] {
  const names = lists.flatMap((list) => elements(option, list));
  for (const name of names) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new SealexecError("usage", `${option}: ${JSON.stringify(name)} is not the name of a variable`);
  }
  return names;
}

/** @throws "usage": an empty element among others, where a name may be lost */
export function elements(option: string, list: string | undefined): string[] {
  if (list === undefined || list.trim() === "") return [];
  const found = list.split(",").map((element) => element.trim());
  if (!found.includes("")) return found;
  throw new SealexecError("usage", `${option} has an empty element`, {
    hint: "a comma stands between two elements only: leave out the one at the beginning, at the end or beside another",
  });
}

export function words(text: string | undefined, separator: RegExp): string[] {
  return (text ?? "")
    .split(separator)
    .map((word) => word.trim())
    .filter((word) => word !== "");
}
