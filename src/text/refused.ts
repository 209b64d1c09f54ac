/** Whether a source may set a name, by the table in refused-names.ts. */
import { SealexecError } from "../base/errors.ts";
import { ANY_CASE_NAMES, ORDINARY_NAMES, REFUSED_GROUPS } from "./refused-names.ts";
import type { Variables } from "../base/secret.ts";

// Searched as it is written: to split it, and to make a set and patterns of it, took a start 2 ms.
const TABLE = ` ${REFUSED_GROUPS.map(({ names }) => names).join(" ")} `;
const ORDINARY = ` ${ORDINARY_NAMES} `;
const ANY_CASE = ` ${ANY_CASE_NAMES} `;
const BLANK = 0x20;

/** Whether a source may not set `name` unless it is allowed by name. */
export function isRefusedName(name: string): boolean {
  if (stands(TABLE, name)) return true;
  const isOfFamily = hasPrefix((families ??= familiesIn(TABLE)), name) || isRefusedInAnyCase(name);
  return isOfFamily && !stands(ORDINARY, name);
}

function isRefusedInAnyCase(name: string): boolean {
  const upper = name.toUpperCase();
  return stands(ANY_CASE, upper) || hasPrefix((foldedFamilies ??= familiesIn(ANY_CASE)), upper);
}

/** Whether `word` stands in `text` with white space around it. */
function stands(text: string, word: string): boolean {
  if (word === "") return false;
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1))
    if (text.charCodeAt(at - 1) <= BLANK && text.charCodeAt(at + word.length) <= BLANK) return true;
  return false;
}

/** Prefixes by their first character: most names meet none. */
type Families = ReadonlyMap<string, readonly string[]>;

let families: Families | undefined;
let foldedFamilies: Families | undefined;

function hasPrefix(known: Families, name: string): boolean {
  return known.get(name.charAt(0))?.some((prefix) => name.startsWith(prefix)) ?? false;
}

/** The words of `text` that end in a star, without it. */
function familiesIn(text: string): Families {
  const found = new Map<string, string[]>();
  for (let end = text.indexOf("*"); end !== -1; end = text.indexOf("*", end + 1)) {
    let start = end;
    while (text.charCodeAt(start - 1) > BLANK) start -= 1;
    const first = text.charAt(start);
    const alike = found.get(first);
    if (alike === undefined) found.set(first, [text.slice(start, end)]);
    else alike.push(text.slice(start, end));
  }
  return found;
}

/** What a refused name does, to follow "it"; undefined: it is not refused. */
export function reasonOf(name: string): string | undefined {
  if (!isRefusedName(name)) return undefined;
  const folded = isRefusedInAnyCase(name) ? name.toUpperCase() : name;
  return REFUSED_GROUPS.find(({ names }) =>
    names
      .split(/\s+/)
      .some((known) => (known.endsWith("*") ? folded.startsWith(known.slice(0, -1)) : folded === known)),
  )?.reason;
}

export function refuseNames(variables: Variables, allow: ReadonlySet<string>): void {
  const refused = [...variables.keys()].filter((name) => isRefusedName(name) && !allow.has(name));
  const [first] = refused;
  if (first === undefined) return;
  const what = `it sets ${refused.join(", ")}, which changes how programs load or run code, or whom they trust`;
  const option = `--allow ${refused.join(",")} (SEALEXEC_ALLOW)`;
  const hint = `${first} ${reasonOf(first)}; if that is meant, allow it by name: ${option}`;
  throw new SealexecError("data", what, { hint });
}
